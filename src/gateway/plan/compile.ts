import type { FlattenNodePathSegment, PlanNode } from '@graphql-hive/router-query-planner';
import { compileBatchFetch, compileEntityFetch } from './entity-fetch.ts';
import { compileRootFetch } from './fetch.ts';
import type { PlanContext, PlanRun, Step } from './run.ts';

/** Compiles a plan into closures, once per operation. `path` is where the entities are that a fetch is about. */
export function compilePlan(
  node: PlanNode,
  context: PlanContext,
  path: readonly FlattenNodePathSegment[] | null = null,
): Step {
  switch (node.kind) {
    case 'Sequence':
      return inSequence(node.nodes.map((child) => compilePlan(child, context, path)));
    case 'Parallel':
      return inParallel(node.nodes.map((child) => compilePlan(child, context, path)));
    case 'Condition': {
      // The native module says null where its types say absent.
      const yes = node.ifClause && compilePlan(node.ifClause, context, path);
      const no = node.elseClause && compilePlan(node.elseClause, context, path);
      const { condition } = node;
      return (run) => (run.variables[condition] === true ? yes : no)?.(run);
    }
    case 'Flatten':
      return compilePlan(node.node, context, [...(path ?? []), ...node.path]);
    case 'Fetch':
      return path === null || !node.requires?.length
        ? compileRootFetch(node, context)
        : compileEntityFetch(path, node, context);
    case 'BatchFetch':
      return compileBatchFetch(node, context);
    default:
      throw new Error(`The query plan has a node of kind ${node.kind}, which cannot run here.`);
  }
}

/** One after the other, until a mutation has to stop. */
export function inSequence(steps: readonly Step[]): Step {
  const from = (run: PlanRun, start: number): void | Promise<void> => {
    for (let i = start; i < steps.length && !run.halted; i++) {
      const pending = steps[i]!(run);
      if (pending) return pending.then(() => from(run, i + 1));
    }
  };
  return (run) => from(run, 0);
}

function inParallel(steps: readonly Step[]): Step {
  return (run) => {
    const pending: Promise<void>[] = [];
    for (const step of steps) {
      const one = step(run);
      if (one) pending.push(one);
    }
    if (pending.length > 0) return Promise.all(pending).then(() => undefined);
  };
}
