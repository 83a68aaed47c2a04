import DataLoader from 'dataloader';
import type { Principal } from '../auth/principal.ts';
import type { Count } from '../registry/lists/agent-counts.ts';
import type { Page } from '../registry/lists/cursor.ts';
import type { TaskFilter, TaskListRequest, TaskRow } from '../tasks/tasks.ts';
import type { Core } from './context.ts';

/** A list of an agent's tasks. Lists of different agents that are asked for with the same words are read together. */
export interface OfAgent<R> {
  readonly agentId: string;
  readonly request: R;
}

/** A page of agents of the largest size. */
const MOST_AGENTS = 200;

/** One call for each set of words, for all the agents it was said of. */
function together<R, V>(read: (agentIds: readonly string[], request: R) => Promise<V[]>): DataLoader<OfAgent<R>, V> {
  const load = async (keys: readonly OfAgent<R>[]): Promise<(V | Error)[]> => {
    const answers: (V | Error)[] = new Array(keys.length);
    const places = Map.groupBy(keys.keys(), (i) => JSON.stringify(keys[i]!.request));
    await Promise.all(
      [...places.values()].map(async (same) => {
        const ids = same.map((i) => keys[i]!.agentId);
        const found = await read(ids, keys[same[0]!]!.request).catch((error: Error) => ids.map(() => error));
        for (const [n, i] of same.entries()) answers[i] = found[n]!;
      }),
    );
    return answers;
  };
  return new DataLoader(load, { cache: false, maxBatchSize: MOST_AGENTS });
}

/** The tasks of agents, as one caller sees them. */
export interface AgentTaskLoaders {
  readonly page: DataLoader<OfAgent<TaskListRequest>, Page<TaskRow>>;
  readonly total: DataLoader<OfAgent<TaskFilter>, Count>;
}

export const agentTaskLoaders = ({ tasks }: Core, principal: Principal): AgentTaskLoaders => ({
  page: together((ids, request) => tasks.ofAgents(principal, ids, request)),
  total: together((ids, filter) => tasks.totalsOfAgents(principal, ids, filter)),
});
