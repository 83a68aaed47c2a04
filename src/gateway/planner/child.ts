import type { QueryPlanner } from '@graphql-hive/router-query-planner';
import type { PlannerRequest, PlannerResponse } from './messages.ts';

/** The planner's own process: see `process.ts` for why. Answers synchronously, so that the order tells which request killed it. */
let planner: QueryPlanner | undefined;
let queue: Promise<void> = Promise.resolve();

process.on('message', (request: PlannerRequest) => {
  queue = queue.then(async () => void process.send?.(await answer(request)));
});
process.on('disconnect', () => process.exit(0));

async function answer(request: PlannerRequest): Promise<PlannerResponse> {
  if (request.kind === 'load') return load(request.supergraphSdl);
  if (planner === undefined) return { kind: 'failed', reason: 'no supergraph is loaded' };
  try {
    const plan = planner.plan(request.query, request.operationName, new Set(), 100);
    return { kind: 'planned', node: plan.node ?? null };
  } catch (thrown) {
    return { kind: 'failed', reason: reasonOf(thrown) };
  }
}

async function load(supergraphSdl: string): Promise<PlannerResponse> {
  let module: typeof import('@graphql-hive/router-query-planner');
  try {
    module = await import('@graphql-hive/router-query-planner');
  } catch (thrown) {
    return { kind: 'unavailable', reason: reasonOf(thrown) };
  }
  try {
    planner = new module.QueryPlanner(supergraphSdl);
    return { kind: 'loaded' };
  } catch (thrown) {
    return { kind: 'failed', reason: reasonOf(thrown) };
  }
}

const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
