import type { ExecutionResult } from 'graphql';
import { RollcallError } from '../errors.ts';
import { type ExecResult, isAsyncIterable, type SubgraphExecutor } from './engine.ts';
import { isPromise } from './maybe-promise.ts';

/** How a request to a subgraph went: its answer may hold errors, or there was none. */
export type FetchOutcome = 'ok' | 'errors' | 'failed';

/** Told of every request to a remote subgraph that has ended. */
export type OnFetch = (subgraph: string, outcome: FetchOutcome, seconds: number) => void;

const hasErrors = (result: ExecResult): boolean =>
  !isAsyncIterable(result) && ((result as ExecutionResult).errors?.length ?? 0) > 0;

/** An executor whose requests are timed, and shown in the trace of their operation. */
export function observed(executor: SubgraphExecutor, subgraph: string, onFetch: OnFetch | undefined): SubgraphExecutor {
  // In this process there is no request to time, and the hottest queries have nothing else.
  const told = executor.inProcess ? undefined : onFetch;
  return {
    inProcess: executor.inProcess,
    close: () => executor.close(),
    execute(request) {
      if (told === undefined && request.trace === undefined) return executor.execute(request);
      const from = performance.now();
      const span = request.trace?.child(`${request.operationType} ${subgraph}`, {
        'graphql.operation.type': request.operationType,
        'rollcall.subgraph': subgraph,
      });
      const end = (outcome: FetchOutcome, failure?: string): void => {
        if (request.operationType !== 'subscription') told?.(subgraph, outcome, (performance.now() - from) / 1_000);
        span?.end(failure);
      };
      const answered = (result: ExecResult): ExecResult => {
        if (hasErrors(result)) end('errors', 'the answer has errors');
        else end('ok');
        return result;
      };
      const failed = (thrown: unknown): never => {
        end('failed', thrown instanceof RollcallError ? thrown.code : 'failed');
        throw thrown;
      };
      const traced = span === undefined ? request : { ...request, trace: span };
      try {
        const result = executor.execute(traced);
        return isPromise(result) ? result.then(answered, failed) : answered(result);
      } catch (thrown) {
        return failed(thrown);
      }
    },
  };
}
