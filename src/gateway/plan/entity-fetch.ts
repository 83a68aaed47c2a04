import type { BatchFetchNode, FetchNode, FlattenNodePathSegment } from '@graphql-hive/router-query-planner';
import type { ExecutionResult } from 'graphql';
import type { JsonObject } from '../engine.ts';
import type { SubgraphError } from '../failure.ts';
import { settle } from '../maybe-promise.ts';
import { compileEntityBatch, Representations } from './entity-batch.ts';
import { compileFetch, sendOnce } from './fetch.ts';
import { compileRewrites } from './rewrites.ts';
import type { PlanContext, Step } from './run.ts';

/** Fetches more of the entities at one path, all in one request. */
export function compileEntityFetch(
  path: readonly FlattenNodePathSegment[],
  node: FetchNode,
  context: PlanContext,
): Step {
  const call = compileFetch(node, context);
  const batch = compileEntityBatch(
    {
      paths: [path],
      requires: node.requires ?? [],
      inputRewrites: node.inputRewrites,
      serviceName: node.serviceName,
      asked: call.entities('_entities'),
    },
    context,
  );
  const rewrites = compileRewrites(node.outputRewrites, context.types);
  return (run) => {
    const representations = new Representations();
    const targets = batch.collect(run, representations);
    if (representations.list.length === 0) return;
    return settle(
      () => sendOnce(call, run, { ...call.variablesOf(run), representations: representations.list }),
      (result: ExecutionResult) => {
        for (const error of (result.errors ?? []) as readonly SubgraphError[]) {
          batch.fail(run, targets, error, { source: call.source, rewrites, entities: result.data?._entities });
        }
        const data = result.data as JsonObject | null | undefined;
        if (data) rewrites?.apply(data);
        batch.apply(run, data?._entities, targets, {
          source: call.source,
          sent: representations.list.length,
          failed: result.errors !== undefined,
        });
      },
      (thrown) => {
        run.request.signal?.throwIfAborted();
        batch.failAll(run, targets, thrown, call.source);
      },
    );
  };
}

/** Several entity fetches to one subgraph in one request, each under an alias of its own. */
export function compileBatchFetch(node: BatchFetchNode, context: PlanContext): Step {
  const call = compileFetch(node, context);
  const parts = node.entityBatch.aliases.map((alias) => ({
    alias: alias.alias,
    variable: alias.representationsVariableName,
    batch: compileEntityBatch({ ...alias, serviceName: node.serviceName, asked: call.entities(alias.alias) }, context),
    rewrites: compileRewrites(alias.outputRewrites, context.types),
  }));
  return (run) => {
    const variables = call.variablesOf(run);
    const lists = new Map<string, Representations>();
    const targets = parts.map(({ variable, batch }) => {
      let list = lists.get(variable);
      if (list === undefined) {
        list = new Representations();
        lists.set(variable, list);
      }
      return batch.collect(run, list);
    });
    let any = false;
    for (const [variable, { list }] of lists) {
      variables[variable] = list;
      if (list.length > 0) any = true;
    }
    if (!any) return;
    return settle(
      () => sendOnce(call, run, variables),
      (result: ExecutionResult) => {
        for (const error of (result.errors ?? []) as readonly SubgraphError[]) {
          const at = Math.max(
            0,
            parts.findIndex((part) => part.alias === error.path?.[0]),
          );
          const part = parts[at];
          if (part === undefined) continue;
          const { batch, rewrites, alias } = part;
          batch.fail(run, targets[at]!, error, { source: call.source, rewrites, entities: result.data?.[alias] });
        }
        const data = result.data as JsonObject | null | undefined;
        parts.forEach(({ alias, variable, batch, rewrites }, i) => {
          const entities = data?.[alias];
          rewrites?.apply(entities);
          const sent = lists.get(variable)?.list.length ?? 0;
          batch.apply(run, entities, targets[i]!, { source: call.source, sent, failed: result.errors !== undefined });
        });
      },
      (thrown) => {
        run.request.signal?.throwIfAborted();
        parts.forEach(({ batch }, i) => void batch.failAll(run, targets[i]!, thrown, call.source));
      },
    );
  };
}
