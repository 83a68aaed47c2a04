import type { FetchNode, PlanNode } from '@graphql-hive/router-query-planner';
import type { ExecutionResult } from 'graphql';
import { RollcallError } from '../../errors.ts';
import { type ExecRequest, type ExecResult, isAsyncIterable, type JsonObject, type MaybePromise } from '../engine.ts';
import { mapEvents } from '../event-stream.ts';
import { relocate, subgraphFailure } from '../failure.ts';
import type { CoercedVariables } from '../operation.ts';
import { compilePlan } from './compile.ts';
import { clientPath, compileFetch } from './fetch.ts';
import { compileRewrites } from './rewrites.ts';
import { type Finish, newRun, type PlanContext } from './run.ts';

/** A subscription: the plan's first fetch streams, the others enrich every event. */
export function compileSubscription(
  plan: PlanNode | null,
  context: PlanContext,
  finish: Finish,
  coerce: (request: ExecRequest) => CoercedVariables,
): (request: ExecRequest) => Promise<ExecResult> {
  const [first, ...rest] = plan?.kind === 'Sequence' ? plan.nodes : plan === null ? [] : [plan];
  const node: FetchNode | undefined =
    first?.kind === 'Subscription' ? first.primary : first?.kind === 'Fetch' ? first : undefined;
  if (node === undefined) throw new RollcallError('INTERNAL', 'The subscription could not be planned.');
  const call = compileFetch({ ...node, operationKind: 'subscription' }, context);
  const rewrites = compileRewrites(node.outputRewrites, context.types);
  const enrich = rest.length === 0 ? undefined : compilePlan({ kind: 'Sequence', nodes: rest }, context);

  const event = (
    request: ExecRequest,
    variables: JsonObject,
    source: ExecutionResult,
  ): MaybePromise<ExecutionResult> => {
    // A fresh run per event: errors of one event must not appear in the next.
    const run = newRun(request, variables, context.deadlineMs);
    for (const error of source.errors ?? []) {
      const path = error.path === undefined ? undefined : clientPath(error.path, rewrites);
      run.errors.push(relocate(error, path, call.source));
    }
    if (!source.data) return finish(run, run.errors.length > 0);
    rewrites?.apply(source.data);
    run.data = source.data;
    const pending = enrich?.(run);
    return pending ? pending.then(() => finish(run)) : finish(run);
  };

  return async (request) => {
    const coerced = coerce(request);
    if (coerced.errors !== undefined) return { errors: coerced.errors };
    const run = newRun(request, coerced.variables, undefined);
    try {
      const source = await call.send(run, call.variablesOf(run));
      if (isAsyncIterable(source)) {
        return mapEvents(source, (result) => event(request, coerced.variables, result), request.signal);
      }
      return { errors: (source.errors ?? []).map((error) => relocate(error, undefined, call.source)) };
    } catch (thrown) {
      request.signal?.throwIfAborted();
      return { errors: [subgraphFailure(thrown, undefined, call.source)] };
    }
  };
}
