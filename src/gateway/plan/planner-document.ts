import {
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
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { NEVER } from '../complete/collect.ts';
import type { JsonObject } from '../engine.ts';
import type { Supergraph } from '../supergraph.ts';
import type { ClientKeys } from './client-keys.ts';
import { type FieldHomes, fieldHomes } from './field-homes.ts';
import { interfaceObjectKeys } from './interface-object-keys.ts';
import { JoinedConditions } from './joined-conditions.ts';

/** What the planner is asked instead of an operation. */
export interface PlannerDocument {
  readonly document: DocumentNode;
  /** The operation's variables (coerced) with those that the rewritten document has besides. */
  variables(coerced: JsonObject): JsonObject;
}

/** What belongs to one document on its way. */
interface Rewriting {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly conditions: JoinedConditions;
}

/**
 * Rewrites operations into a form that the planner (0.0.38) plans rightly; the client's own document decides the
 * response. Each rewrite is for a fault met there:
 * - what a literal `@skip` or `@include` excludes is left out: the planner fails when nothing else remains;
 * - an alias equal to its field's name is dropped: next to the plain field it ends the planner's process;
 * - aliases that collide with field names travel under other ones (see {@link ClientKeys});
 * - fragments that repeat the object type they stand in are dissolved: with a condition on them there is "no path";
 * - conditions of fragments are moved to the fields in them, and several conditions of a field are joined (see
 *   {@link JoinedConditions}): a field that is fetched though nobody wants it may take its object with it;
 * - fields that are asked for several times are asked for once: else one of their conditions would win;
 * - interfaces that a subgraph knows as `@interfaceObject` are asked for their keys: the plan resolves their type with
 *   them but forgets to fetch them.
 */
export class PlannerDocuments {
  readonly #schema: GraphQLSchema;
  readonly #keys: ClientKeys;
  readonly #interfaceKeys: ReadonlyMap<string, readonly SelectionNode[]>;
  readonly #homes: FieldHomes;

  constructor(schema: GraphQLSchema, supergraph: Supergraph, keys: ClientKeys) {
    this.#schema = schema;
    this.#keys = keys;
    this.#interfaceKeys = interfaceObjectKeys(supergraph);
    this.#homes = fieldHomes(supergraph);
  }

  rewrite(document: DocumentNode): PlannerDocument {
    const fragments = new Map<string, FragmentDefinitionNode>();
    const taken = new Set<string>();
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      for (const { variable } of definition.variableDefinitions ?? []) taken.add(variable.name.value);
    }
    const conditions = new JoinedConditions(taken);
    const rewriting = { fragments, conditions };
    const rewritten = document.definitions.map((definition): DefinitionNode => {
      if (definition.kind === Kind.OPERATION_DEFINITION) {
        const root = this.#schema.getRootType(definition.operation) ?? undefined;
        return { ...definition, selectionSet: this.#selectionSet(definition.selectionSet, root, rewriting) };
      }
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) return definition;
      const type = this.#schema.getType(definition.typeCondition.name.value);
      return { ...definition, selectionSet: this.#selectionSet(definition.selectionSet, type, rewriting) };
    });
    const definitions = rewritten.map((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? { ...definition, variableDefinitions: [...(definition.variableDefinitions ?? []), ...conditions.definitions] }
        : definition,
    );
    return { document: { ...document, definitions }, variables: (coerced) => conditions.computed(coerced) };
  }

  /** @param around the conditions of the fragments around, as far as these are written out. */
  #selectionSet(
    node: SelectionSetNode,
    parent: GraphQLNamedType | undefined,
    rewriting: Rewriting,
    around: readonly DirectiveNode[] = [],
  ): SelectionSetNode {
    const { fragments, conditions } = rewriting;
    const selections: SelectionNode[] = [];
    const homeOf = ({ name }: FieldNode): string => this.#homes(parent?.name ?? '', name.value);
    const visit = (selection: SelectionNode, outer: readonly DirectiveNode[]): void => {
      const around = [...outer, ...(selection.directives ?? [])];
      if (selection.kind === Kind.FIELD) {
        const directives = conditions.all(around, homeOf(selection));
        if (directives === NEVER) return;
        // The type is told in any case: other fields of the object may depend on it.
        selections.push({ ...selection, directives: selection.name.value === '__typename' ? [] : directives });
        return;
      }
      if (conditions.exclude(around)) return;
      // At the root of a mutation too: its fields are planned one by one.
      const conditional = around.length > 0 || parent === this.#schema.getMutationType();
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT
          ? selection
          : conditional
            ? fragments.get(selection.name.value)
            : undefined;
      if (fragment === undefined) {
        selections.push({ ...selection, directives: [] });
        return;
      }
      const { typeCondition, selectionSet } = fragment;
      const condition = typeCondition?.name.value;
      if (condition === undefined || (isObjectType(parent) && condition === parent.name)) {
        for (const inner of selectionSet.selections) visit(inner, around);
        return;
      }
      selections.push({
        kind: Kind.INLINE_FRAGMENT,
        ...(typeCondition && { typeCondition }),
        selectionSet: this.#selectionSet(selectionSet, this.#schema.getType(condition), rewriting, around),
      });
    };
    for (const selection of node.selections) visit(selection, around);
    const joined = withoutRepeats(selections, this.#keys, (all) =>
      conditions.any(
        all.map(({ directives }) => directives),
        homeOf(all[0]!),
      ),
    ).map((selection) => (selection.kind === Kind.FIELD ? this.#field(selection, parent, rewriting) : selection));
    if (isInterfaceType(parent) && selections.some(({ kind }) => kind !== Kind.FIELD)) {
      joined.unshift(...(this.#interfaceKeys.get(parent.name) ?? []));
    }
    return { ...node, selections: selections.length > 0 ? joined : [TYPENAME] };
  }

  #field(field: FieldNode, parent: GraphQLNamedType | undefined, rewriting: Rewriting): FieldNode {
    const { alias: _, selectionSet, ...plain } = field;
    const key = this.#keys.sourceKey(field);
    const definition =
      isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field.name.value] : undefined;
    return {
      ...plain,
      ...(key === field.name.value ? {} : { alias: { kind: Kind.NAME, value: key } }),
      ...(selectionSet && {
        selectionSet: this.#selectionSet(selectionSet, definition && getNamedType(definition.type), rewriting),
      }),
    };
  }
}

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** Fields that are asked for several times are asked for once, each with what it holds under its own conditions. */
function withoutRepeats(
  selections: readonly SelectionNode[],
  keys: ClientKeys,
  anyOf: (all: readonly FieldNode[]) => readonly DirectiveNode[],
): SelectionNode[] {
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
    const once = { ...selection, directives: anyOf(all) };
    if (selection.selectionSet === undefined) return [once];
    const parts = all.map(
      ({ directives = [], selectionSet }): SelectionNode => ({
        kind: Kind.INLINE_FRAGMENT,
        directives,
        selectionSet: selectionSet!,
      }),
    );
    return [{ ...once, selectionSet: { kind: Kind.SELECTION_SET, selections: parts } }];
  });
}
