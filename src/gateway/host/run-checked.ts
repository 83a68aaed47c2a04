import type { GraphQLError, GraphQLSchema } from 'graphql';
import type { ExecResult, GatewayContext, MaybePromise } from '../engine.ts';
import type { Graph } from './graph.ts';
import type { CheckedOperation, Operations } from './operations.ts';

/** What a client of graphql-ws or graphql-sse asks for. */
export interface Payload {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

/** A checked operation, as both libraries carry it from `onSubscribe` to `execute`. */
interface Prepared extends CheckedOperation {
  readonly schema: GraphQLSchema;
  readonly contextValue: GatewayContext;
  readonly variableValues: Record<string, unknown>;
  readonly operationName: string | undefined;
}

/**
 * Checks a payload against the graph of this moment; the operation then runs on that one, whatever comes meanwhile.
 * Answers what is wrong with it instead, if anything is.
 */
export function prepare(
  graph: Graph,
  operations: Operations,
  payload: Payload,
  context: () => GatewayContext,
): Prepared | readonly GraphQLError[] {
  const { schema } = graph.engine;
  const checked = operations.check(schema, payload.query, payload.operationName, payload.variables);
  if (!('document' in checked)) return checked;
  return {
    ...checked,
    schema,
    contextValue: context(),
    variableValues: payload.variables ?? {},
    operationName: payload.operationName ?? undefined,
  };
}

/** Runs what {@link prepare} made: the `execute` and `subscribe` of both libraries. */
export const runOn =
  (graph: Graph) =>
  (args: unknown): MaybePromise<ExecResult> => {
    const { schema, document, operation, contextValue, variableValues, operationName } = args as Prepared;
    return graph.execute(schema, {
      document,
      variables: variableValues,
      operationName,
      operationType: operation.operation,
      context: contextValue,
    });
  };
