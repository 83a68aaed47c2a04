import type { BatchFetchNode, EntityBatchAlias, FetchNode } from '@graphql-hive/router-query-planner';
import { type DocumentNode, type FieldNode, Kind, type OperationDefinitionNode, print, visit } from 'graphql';
import { withoutFragments } from '../own-fragments.ts';
import { parseFetch } from './fetch.ts';

/** One `_entities` list of a fetch, and what is asked of the entities. */
export type EntityList = Omit<EntityBatchAlias, 'alias' | 'representationsVariableName'> & {
  readonly entities: FieldNode;
};

/** A fetch's lists of entities without their fields. */
type Planned = readonly Omit<EntityBatchAlias, 'representationsVariableName'>[];

/** The lists of a fetch with its operation, every fragment written out; null where that cannot be read. */
export function listsOf(
  node: Pick<FetchNode, 'operation'>,
  planned: Planned,
): { readonly operation: OperationDefinitionNode; readonly lists: readonly EntityList[] } | null {
  const operation = withoutFragments(parseFetch(node.operation))?.definitions[0];
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return null;
  const lists = planned.flatMap(({ alias, ...rest }): EntityList[] => {
    const entities = operation.selectionSet.selections.find(
      (selection): selection is FieldNode =>
        selection.kind === Kind.FIELD && (selection.alias ?? selection.name).value === alias,
    );
    return entities === undefined ? [] : [{ ...rest, entities }];
  });
  return { operation, lists };
}

/** All lists in one request, without variables that none of them uses any more. */
export function batchOf(
  node: FetchNode | BatchFetchNode,
  operation: OperationDefinitionNode,
  lists: readonly EntityList[],
): BatchFetchNode {
  const aliases = lists.map(({ entities: _, ...rest }, i) => ({
    ...rest,
    alias: `_e${i}`,
    representationsVariableName: `__batch_reps_${i}`,
  }));
  const name = (value: string) => ({ kind: Kind.NAME, value }) as const;
  const variable = (value: string) => ({ kind: Kind.VARIABLE, name: name(value) }) as const;
  const selections = lists.map(
    ({ entities }, i): FieldNode => ({
      ...entities,
      alias: name(aliases[i]!.alias),
      arguments: [
        {
          kind: Kind.ARGUMENT,
          name: name('representations'),
          value: variable(aliases[i]!.representationsVariableName),
        },
      ],
    }),
  );
  const selectionSet = { kind: Kind.SELECTION_SET, selections } as const;
  const used = new Set<string>();
  visit(selectionSet, { Variable: (node) => void used.add(node.name.value) });
  const isOurs = (value: string) => value === 'representations' || value.startsWith('__batch_reps_');
  const kept = (operation.variableDefinitions ?? []).filter(
    ({ variable: { name: own } }) => used.has(own.value) && !isOurs(own.value),
  );
  const type = operation.variableDefinitions?.find(({ variable: { name: own } }) => isOurs(own.value))?.type;
  const written: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: [
      {
        ...operation,
        selectionSet,
        variableDefinitions: [
          ...aliases.map(({ representationsVariableName }) => ({
            kind: Kind.VARIABLE_DEFINITION as const,
            variable: variable(representationsVariableName),
            type: type!,
          })),
          ...kept,
        ],
      },
    ],
  };
  return {
    kind: 'BatchFetch',
    serviceName: node.serviceName,
    operation: print(written),
    variableUsages: kept.map(({ variable: { name: own } }) => own.value),
    ...(node.operationKind && { operationKind: node.operationKind }),
    ...(node.operationName && { operationName: node.operationName }),
    entityBatch: { aliases },
  };
}
