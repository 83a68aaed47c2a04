import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { Principal } from '../../auth/principal.ts';
import { RollcallError } from '../../errors.ts';
import type { Gate } from '../../http/gate.ts';
import { type ExecResult, type GatewayContext, isAsyncIterable, type MaybePromise } from '../engine.ts';
import { notLoaded } from '../live/unloaded.ts';
import type { Graph } from './graph.ts';
import type { LoadLimit } from './load-limit.ts';
import type { CheckedOperation, Operations } from './operations.ts';
import { endingStream } from './stream-end.ts';

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
  if (!graph.loaded) {
    const error = notLoaded();
    return [new GraphQLError(error.message, { extensions: error.extensions })];
  }
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
  (graph: Graph, load: LoadLimit, gate: Gate) =>
  (args: unknown): MaybePromise<ExecResult> => {
    const { schema, document, operation, contextValue, variableValues, operationName } = args as Prepared;
    const run = (): MaybePromise<ExecResult> =>
      graph.execute(schema, {
        document,
        variables: variableValues,
        operationName,
        operationType: operation.operation,
        context: contextValue,
      });
    // A stream is open for long and mostly idle: it is no load of this kind.
    return operation.operation === 'subscription'
      ? openStream(gate, contextValue.principal, run).catch(refused)
      : load.run(run).catch(refused);
  };

/** Runs a subscription in a place for streams of its caller's. @throws RollcallError RATE_LIMITED; what `run` throws. */
async function openStream(
  gate: Gate,
  principal: Principal | undefined,
  run: () => MaybePromise<ExecResult>,
): Promise<ExecResult> {
  if (principal === undefined) return run();
  const release = gate.openStream(principal);
  try {
    const result = await run();
    if (isAsyncIterable(result)) return endingStream(result, principal, release);
    release();
    return result;
  } catch (thrown) {
    release();
    throw thrown;
  }
}

/** A refusal is an answer here: both libraries would close the whole socket for an error that is thrown. */
function refused(thrown: unknown): ExecResult {
  if (!(thrown instanceof RollcallError)) throw thrown;
  return { errors: [new GraphQLError(thrown.message, { extensions: thrown.extensions, originalError: thrown })] };
}
