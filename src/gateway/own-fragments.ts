import {
  type DefinitionNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** A document that would be larger than this many selections is not worth writing out. */
const MAX_SELECTIONS = 5_000;

/**
 * graphql-jit (0.8.9) keeps the conditions of a field in its syntax node. A fragment that is spread in several places
 * has one set of nodes, so a `@skip` or `@include` around one of the places decides over all of them. This writes every
 * spread out with nodes of its own. Returns the document itself where no condition and no second spread occurs, null
 * where it would grow beyond measure (then graphql-js has to run it).
 */
export const withOwnFragments = (document: DocumentNode): DocumentNode | null =>
  isAffected(document) ? withoutFragments(document) : document;

/** The same document with every spread written out; null where it would grow beyond measure. */
export function withoutFragments(document: DocumentNode): DocumentNode | null {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  let left = MAX_SELECTIONS;

  const written = (node: SelectionSetNode): SelectionSetNode => ({
    ...node,
    selections: node.selections.map((selection): SelectionNode => {
      left--;
      if (left < 0) return selection;
      if (selection.kind === Kind.FIELD) {
        return selection.selectionSet
          ? { ...selection, selectionSet: written(selection.selectionSet) }
          : { ...selection };
      }
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        return { ...selection, selectionSet: written(selection.selectionSet) };
      }
      const fragment = fragments.get(selection.name.value);
      if (fragment === undefined) return selection;
      const { typeCondition, selectionSet } = fragment;
      const { directives = [] } = selection;
      return { kind: Kind.INLINE_FRAGMENT, typeCondition, directives, selectionSet: written(selectionSet) };
    }),
  });

  const definitions = document.definitions.flatMap((definition): DefinitionNode[] => {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) return [];
    if (definition.kind !== Kind.OPERATION_DEFINITION) return [definition];
    return [{ ...definition, selectionSet: written(definition.selectionSet) }];
  });
  return left < 0 ? null : { ...document, definitions };
}

function isAffected(document: DocumentNode): boolean {
  const spread = new Set<string>();
  let repeats = false;
  let conditions = false;
  const visit = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.directives?.length) conditions = true;
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (spread.has(selection.name.value)) repeats = true;
        spread.add(selection.name.value);
      } else if (selection.selectionSet) visit(selection.selectionSet);
    }
  };
  for (const definition of document.definitions) if ('selectionSet' in definition) visit(definition.selectionSet);
  return repeats && conditions;
}

/**
 * Whether a key with a selection of its own is asked for several times, and under a condition at least once. graphql-jit
 * (0.8.9) then selects what all of the places ask for as soon as one of them is included: graphql-js has to run these.
 */
export function joinsConditions(document: DocumentNode): boolean {
  const places = new Map<string, number>();
  const conditional = new Set<string>();
  const visit = ({ selections }: SelectionSetNode, outer: boolean): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD || selection.selectionSet === undefined) continue;
      const own = (selection.directives?.length ?? 0) > 0;
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        visit(selection.selectionSet, outer || own);
        continue;
      }
      const key = (selection.alias ?? selection.name).value;
      places.set(key, (places.get(key) ?? 0) + 1);
      if (outer || own) conditional.add(key);
      visit(selection.selectionSet, false);
    }
  };
  for (const definition of document.definitions)
    if ('selectionSet' in definition) visit(definition.selectionSet, false);
  return [...conditional].some((key) => (places.get(key) ?? 0) > 1);
}
