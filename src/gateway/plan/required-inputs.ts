import type { RequiresSelection } from '@graphql-hive/router-query-planner';
import {
  type ConstDirectiveNode,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';
import type { JsonObject } from '../engine.ts';
import type { TypeIndex } from './type-index.ts';

/** By subgraph (name and `join__Graph` value), then by `Type.field`: what `@requires` names. */
export type Requirements = ReadonlyMap<string, ReadonlyMap<string, SelectionSetNode>>;

const text = (directive: ConstDirectiveNode, name: string): string | undefined => {
  const value = directive.arguments?.find((given) => given.name.value === name)?.value;
  return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
};

/** The subgraphs' names, by `join__Graph` value. */
export function graphNames(supergraph: GraphQLSchema): Map<string, string> {
  const names = new Map<string, string>();
  const graphs = supergraph.getType('join__Graph')?.astNode;
  for (const value of graphs?.kind === Kind.ENUM_TYPE_DEFINITION ? (graphs.values ?? []) : []) {
    const name = value.directives?.map((directive) => text(directive, 'name')).find((found) => found !== undefined);
    if (name !== undefined) names.set(value.name.value, name);
  }
  return names;
}

/** Reads every `@join__field(requires:)` of a supergraph. */
export function requirementsOf(supergraph: GraphQLSchema): Requirements {
  const byGraph = new Map<string, Map<string, SelectionSetNode>>();
  for (const type of Object.values(supergraph.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      for (const directive of field.astNode?.directives ?? []) {
        if (directive.name.value !== 'join__field') continue;
        const [graph, requires] = [text(directive, 'graph'), text(directive, 'requires')];
        if (graph === undefined || requires === undefined) continue;
        const [operation] = parse(`{ ${requires} }`, { noLocation: true }).definitions;
        if (operation?.kind !== Kind.OPERATION_DEFINITION) continue;
        const fields = byGraph.get(graph) ?? new Map<string, SelectionSetNode>();
        byGraph.set(graph, fields.set(`${type.name}.${field.name}`, operation.selectionSet));
      }
    }
  }
  for (const [value, name] of graphNames(supergraph)) {
    const fields = byGraph.get(value);
    if (fields !== undefined) byGraph.set(name, fields);
  }
  return byGraph;
}

/** The fields of one representation's answer that a subgraph cannot compute rightly; `all` when there are no others. */
export interface Lost {
  readonly keys: readonly string[];
  readonly all: boolean;
}

interface EntityField {
  readonly key: string;
  readonly typeName: string;
  readonly requires: SelectionSetNode | undefined;
}

/**
 * Finds the fields of an entity fetch whose `@requires` inputs are not all there, because what they should have come
 * from failed. A subgraph cannot tell such an input from one it was not sent, and would compute something out of
 * nothing. An input that was fetched as null is there: it is the owner's answer. Null when no field requires anything.
 */
export function compileLost(
  entities: SelectionSetNode,
  serviceName: string,
  planned: readonly RequiresSelection[],
  { requirements, types }: { readonly requirements: Requirements; readonly types: TypeIndex },
): ((representation: JsonObject) => Lost | null) | null {
  const ofGraph = requirements.get(serviceName);
  if (ofGraph === undefined) return null;
  const fields: EntityField[] = [];
  const visit = (node: SelectionSetNode, typeName: string): void => {
    for (const selection of node.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        visit(selection.selectionSet, selection.typeCondition?.name.value ?? typeName);
      } else if (selection.kind === Kind.FIELD && selection.name.value !== '__typename') {
        const requires = ofGraph.get(`${typeName}.${selection.name.value}`);
        fields.push({ key: (selection.alias ?? selection.name).value, typeName, requires });
      }
    }
  };
  visit(entities, '');
  if (fields.every(({ requires }) => requires === undefined)) return null;
  const renamed = new Set<string>();
  collectRenamed(planned, renamed);

  const lacks = (value: unknown, { selections }: SelectionSetNode): boolean => {
    if (Array.isArray(value)) return value.some((item) => lacks(item, { kind: Kind.SELECTION_SET, selections }));
    if (value === null || typeof value !== 'object') return false;
    const object = value as JsonObject;
    return selections.some((selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return false;
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        const typeName = object.__typename;
        const applies =
          condition === undefined || (typeof typeName === 'string' && types.satisfies(typeName, condition));
        return applies && lacks(object, selection.selectionSet);
      }
      const name = selection.name.value;
      if (name === '__typename' || renamed.has(name)) return false;
      const inner = object[name];
      return inner === undefined || (selection.selectionSet !== undefined && lacks(inner, selection.selectionSet));
    });
  };

  return (representation) => {
    const typeName = representation.__typename as string;
    const own = fields.filter((field) => types.satisfies(typeName, field.typeName));
    const lost = own.filter(({ requires }) => requires !== undefined && lacks(representation, requires));
    return lost.length === 0 ? null : { keys: lost.map(({ key }) => key), all: lost.length === own.length };
  };
}

/** Where the planner keeps two argument sets of one field apart, names do not tell which is which. */
function collectRenamed(selections: readonly RequiresSelection[], into: Set<string>): void {
  for (const selection of selections) {
    if (selection.kind === 'FragmentSpread') continue;
    if (selection.kind === 'Field' && selection.alias != null) into.add(selection.name).add(selection.alias);
    collectRenamed(selection.selections ?? [], into);
  }
}
