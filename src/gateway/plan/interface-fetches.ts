import type {
  BatchFetchNode,
  FetchNode,
  FetchRewrite,
  FlattenNodePathSegment,
  PlanNode,
  RequiresSelection,
} from '@graphql-hive/router-query-planner';
import {
  type GraphQLInterfaceType,
  type GraphQLSchema,
  isInterfaceType,
  Kind,
  print,
  type SelectionSetNode,
} from 'graphql';
import type { AskedFor } from '../complete/explain.ts';
import { AskedFields } from './asked-fields.ts';
import { batchOf, type EntityList, listsOf } from './entity-lists.ts';
import { graphNames } from './required-inputs.ts';
import type { TypeIndex } from './type-index.ts';

/**
 * A subgraph that knows an interface as `@interfaceObject` is sent its objects under the interface's name. The planner
 * joins what several of the object types need there into one fetch: a film is then asked what only books are asked,
 * and loses everything when that fails; and it may keep the type condition of a single one of the types. So each
 * object type is asked for what the operation wants of it: types that are asked the same share a list of entities,
 * others get one of their own in the same request. Fields that only the plan wants stay wherever they were.
 */
export function splitInterfaceFetches(plan: PlanNode, asked: AskedFor, types: TypeIndex): PlanNode {
  const required = new Set<string>(['__typename']);
  const collect = (selections: readonly RequiresSelection[]): void => {
    for (const selection of selections) {
      if (selection.kind === 'Field') required.add(selection.name);
      if (selection.kind !== 'FragmentSpread') collect(selection.selections ?? []);
    }
  };
  requirementsIn(plan, collect);
  const fields = new AskedFields(asked, types, required);
  const eachFetch = (node: PlanNode, path: readonly FlattenNodePathSegment[]): PlanNode => {
    switch (node.kind) {
      case 'Sequence':
      case 'Parallel':
        return { ...node, nodes: node.nodes.map((inner) => eachFetch(inner, path)) };
      case 'Condition':
        return {
          ...node,
          ...(node.ifClause && { ifClause: eachFetch(node.ifClause, path) }),
          ...(node.elseClause && { elseClause: eachFetch(node.elseClause, path) }),
        };
      case 'Flatten':
        return { ...node, node: eachFetch(node.node, [...path, ...node.path]) };
      case 'Fetch':
        return node.requires?.length ? split(node, [path]) : node;
      case 'BatchFetch':
        return split(node);
      default:
        return node;
    }
  };
  return eachFetch(plan, []);

  function split(
    node: FetchNode | BatchFetchNode,
    paths: readonly (readonly FlattenNodePathSegment[])[] = [],
  ): PlanNode {
    const planned =
      node.kind === 'BatchFetch'
        ? node.entityBatch.aliases
        : [
            {
              alias: '_entities',
              paths: paths.map((path) => [...path]),
              requires: node.requires ?? [],
              ...(node.inputRewrites && { inputRewrites: node.inputRewrites }),
              ...(node.outputRewrites && { outputRewrites: node.outputRewrites }),
            },
          ];
    if (planned.every(({ inputRewrites }) => interfacesOf(inputRewrites).length === 0)) return node;
    const found = listsOf(node, planned);
    if (found === null) return node;
    const lists = found.lists.flatMap((list) => byType(node.serviceName, list));
    return batchOf(node, found.operation, lists);
  }

  /** One list for each set of fields that some of the types are asked for. */
  function byType(serviceName: string, list: EntityList): EntityList[] {
    const [name] = interfacesOf(list.inputRewrites);
    const type = name === undefined ? undefined : types.supergraph.getType(name);
    if (!isInterfaceType(type) || !isInterfaceObject(type, serviceName, types.supergraph)) return [list];
    const objects = types.supergraph.getPossibleTypes(type).map((object) => object.name);
    const groups = new Map<string, { names: string[]; selectionSet: SelectionSetNode }>();
    for (const object of objects) {
      const own = fields.only(list.entities.selectionSet!, list.paths, object);
      if (own === null) continue;
      const text = print(own);
      const group = groups.get(text) ?? { names: [], selectionSet: own };
      group.names.push(object);
      groups.set(text, group);
    }
    // Everything is asked of everyone: then the interface's own name (an object whose type is not known) will do too.
    const [only] = groups.values();
    if (only !== undefined && groups.size === 1 && only.names.length === objects.length) {
      return [{ ...list, requires: list.requires.map((one) => conditionedOn(one, type.name)) }];
    }
    return [...groups.values()].map(({ names, selectionSet }) => ({
      ...list,
      requires: names.map((object) => conditionedOn(requiredOf(list.requires, object), object)),
      entities: { ...list.entities, selectionSet },
    }));
  }
}

function requiredOf(requires: readonly RequiresSelection[], object: string): RequiresSelection {
  const own = requires.find((one) => one.kind === 'InlineFragment' && one.typeCondition === object);
  return own ?? requires[0]!;
}

/** Whether a subgraph (by its name or `join__Graph` value) knows the interface as an object type. */
function isInterfaceObject(type: GraphQLInterfaceType, serviceName: string, supergraph: GraphQLSchema): boolean {
  const names = graphNames(supergraph);
  return (type.astNode?.directives ?? []).some((directive) => {
    if (directive.name.value !== 'join__type') return false;
    const given = (name: string) => directive.arguments?.find((one) => one.name.value === name)?.value;
    const [graph, flag] = [given('graph'), given('isInterfaceObject')];
    return (
      graph?.kind === Kind.ENUM &&
      (graph.value === serviceName || names.get(graph.value) === serviceName) &&
      flag?.kind === Kind.BOOLEAN &&
      flag.value
    );
  });
}

function requirementsIn(node: PlanNode, collect: (selections: readonly RequiresSelection[]) => void): void {
  if (node.kind === 'Sequence' || node.kind === 'Parallel') {
    for (const inner of node.nodes) requirementsIn(inner, collect);
  } else if (node.kind === 'Condition') {
    for (const inner of [node.ifClause, node.elseClause]) if (inner) requirementsIn(inner, collect);
  } else if (node.kind === 'Flatten') requirementsIn(node.node, collect);
  else if (node.kind === 'Fetch') collect(node.requires ?? []);
  else if (node.kind === 'BatchFetch') for (const { requires } of node.entityBatch.aliases) collect(requires);
}

/** The type names that representations are sent under. */
const interfacesOf = (rewrites: readonly FetchRewrite[] | undefined): string[] =>
  (rewrites ?? []).flatMap((rewrite) => {
    const setter = 'ValueSetter' in rewrite ? rewrite.ValueSetter : 'setValueTo' in rewrite ? rewrite : null;
    return setter === null ? [] : [setter.setValueTo];
  });

const conditionedOn = (selection: RequiresSelection, typeCondition: string): RequiresSelection =>
  selection.kind === 'InlineFragment' ? { ...selection, typeCondition } : selection;
