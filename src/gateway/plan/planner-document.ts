import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { conditionOf, NEVER } from '../complete/collect.ts';
import type { ClientKeys } from './client-keys.ts';

/**
 * Rewrites operations into a form that the planner (0.0.38) plans rightly; the client's own document decides the
 * response. Each rewrite is for a fault met there:
 * - what a literal `@skip` or `@include` excludes is left out: the planner fails when nothing else remains;
 * - an alias equal to its field's name is dropped: next to the plain field it ends the planner's process;
 * - aliases that collide with field names travel under other ones (see {@link ClientKeys});
 * - fragments that repeat the object type they stand in are dissolved, their conditions moved to what they hold: with
 *   a condition on them there is "no path";
 * - fields that are asked for several times are asked for once: else one of their conditions would win;
 * - interfaces that a subgraph knows as `@interfaceObject` are asked for their keys: the plan resolves their type with
 *   them but forgets to fetch them.
 */
export class PlannerDocuments {
  readonly #schema: GraphQLSchema;
  readonly #keys: ClientKeys;
  readonly #interfaceKeys: ReadonlyMap<string, readonly SelectionNode[]>;

  constructor(schema: GraphQLSchema, supergraphSdl: string, keys: ClientKeys) {
    this.#schema = schema;
    this.#keys = keys;
    this.#interfaceKeys = interfaceObjectKeys(supergraphSdl);
  }

  rewrite(document: DocumentNode): DocumentNode {
    const fragments = new Map<string, FragmentDefinitionNode>();
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    }
    const definitions = document.definitions.map((definition): DefinitionNode => {
      if (definition.kind === Kind.OPERATION_DEFINITION) {
        const root = this.#schema.getRootType(definition.operation) ?? undefined;
        return { ...definition, selectionSet: this.#selectionSet(definition.selectionSet, root, fragments) };
      }
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) return definition;
      const type = this.#schema.getType(definition.typeCondition.name.value);
      return { ...definition, selectionSet: this.#selectionSet(definition.selectionSet, type, fragments) };
    });
    return { ...document, definitions };
  }

  #selectionSet(
    node: SelectionSetNode,
    parent: GraphQLNamedType | undefined,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  ): SelectionSetNode {
    const selections: SelectionNode[] = [];
    const visit = (selection: SelectionNode, outer: readonly DirectiveNode[]): void => {
      if (conditionOf(selection.directives) === NEVER) return;
      const directives = together(selection.directives ?? [], outer);
      if (selection.kind === Kind.FIELD) {
        selections.push({ ...selection, directives });
        return;
      }
      // At the root of a mutation too: its fields are planned one by one.
      const conditional = directives.length > 0 || parent === this.#schema.getMutationType();
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT
          ? selection
          : conditional
            ? fragments.get(selection.name.value)
            : undefined;
      if (fragment === undefined) {
        selections.push(selection);
        return;
      }
      const condition = fragment.typeCondition?.name.value;
      if (condition === undefined || (isObjectType(parent) && condition === parent.name)) {
        for (const inner of fragment.selectionSet.selections) visit(inner, directives);
        return;
      }
      const type = condition === undefined ? parent : this.#schema.getType(condition);
      const selectionSet = this.#selectionSet(fragment.selectionSet, type, fragments);
      const { typeCondition } = fragment;
      selections.push({
        kind: Kind.INLINE_FRAGMENT,
        directives,
        selectionSet,
        ...(typeCondition && { typeCondition }),
      });
    };
    for (const selection of node.selections) visit(selection, []);
    const joined = withoutRepeats(selections, this.#keys).map((selection) =>
      selection.kind === Kind.FIELD ? this.#field(selection, parent, fragments) : selection,
    );
    if (isInterfaceType(parent) && selections.some(({ kind }) => kind !== Kind.FIELD)) {
      joined.unshift(...(this.#interfaceKeys.get(parent.name) ?? []));
    }
    return { ...node, selections: selections.length > 0 ? joined : [TYPENAME] };
  }

  #field(
    field: FieldNode,
    parent: GraphQLNamedType | undefined,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  ): FieldNode {
    const { alias: _, selectionSet, ...plain } = field;
    const key = this.#keys.sourceKey(field);
    const definition =
      isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field.name.value] : undefined;
    return {
      ...plain,
      ...(key === field.name.value ? {} : { alias: { kind: Kind.NAME, value: key } }),
      ...(selectionSet && {
        selectionSet: this.#selectionSet(selectionSet, definition && getNamedType(definition.type), fragments),
      }),
    };
  }
}

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** Fields that are asked for several times are asked for once, their conditions moved to what they hold. */
function withoutRepeats(selections: readonly SelectionNode[], keys: ClientKeys): SelectionNode[] {
  const byKey = new Map<string, FieldNode[]>();
  for (const selection of selections) {
    if (selection.kind !== Kind.FIELD) continue;
    const key = keys.sourceKey(selection);
    byKey.set(key, [...(byKey.get(key) ?? []), selection]);
  }
  return selections.flatMap((selection): SelectionNode[] => {
    if (selection.kind !== Kind.FIELD) return [selection];
    const all = byKey.get(keys.sourceKey(selection)) ?? [];
    if (all.length === 1) return [selection];
    if (all[0] !== selection) return [];
    if (selection.selectionSet === undefined) {
      const conditions = new Set(all.map(({ directives = [] }) => directives.map(print).sort().join(' ')));
      return [conditions.size === 1 ? selection : { ...selection, directives: [] }];
    }
    const parts = all.map(
      ({ directives = [], selectionSet }): SelectionNode => ({
        kind: Kind.INLINE_FRAGMENT,
        directives,
        selectionSet: selectionSet!,
      }),
    );
    const selectionSet = { kind: Kind.SELECTION_SET, selections: parts } as const;
    return [{ ...selection, directives: [], selectionSet }];
  });
}

/**
 * Inner conditions and those of the dissolved fragments around. A directive may stand only once: the outer one of two
 * is given up, which fetches too much and changes nothing in the response.
 */
function together(own: readonly DirectiveNode[], outer: readonly DirectiveNode[]): readonly DirectiveNode[] {
  const wanted = own.filter((directive) => conditionOf([directive]) !== null);
  const names = new Set(wanted.map(({ name }) => name.value));
  return [...wanted, ...outer.filter(({ name }) => !names.has(name.value))];
}

const argument = (directive: ConstDirectiveNode, name: string) =>
  directive.arguments?.find((given) => given.name.value === name)?.value;

/** By interface: the key fields that subgraphs which know it as `@interfaceObject` identify it with. */
function interfaceObjectKeys(supergraphSdl: string): Map<string, readonly SelectionNode[]> {
  const found = new Map<string, readonly SelectionNode[]>();
  for (const definition of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const directive of definition.directives ?? []) {
      const isInterfaceObject = argument(directive, 'isInterfaceObject');
      const key = argument(directive, 'key');
      if (isInterfaceObject?.kind !== Kind.BOOLEAN || !isInterfaceObject.value || key?.kind !== Kind.STRING) continue;
      const [operation] = parse(`{ ${key.value} }`, { noLocation: true }).definitions;
      if (operation?.kind !== Kind.OPERATION_DEFINITION || found.has(definition.name.value)) continue;
      found.set(definition.name.value, operation.selectionSet.selections);
    }
  }
  return found;
}
