import DataLoader from 'dataloader';
import type { Principal } from '../auth/principal.ts';
import type { Agent, AgentLatency, AgentUsage, Deployment, Skill, TaskCategory } from '../registry/model.ts';
import type { Registry } from '../registry/registry.ts';
import type { Core } from './context.ts';

/** An agent as somebody sees it. */
interface SeenAgent {
  readonly id: string;
  readonly principal: Principal;
}

/** The relations that operations under way at the same time load together: under load, several requests share a statement. */
export interface SharedLoaders {
  readonly agent: DataLoader<SeenAgent, Agent | undefined>;
  readonly skillsOfAgent: DataLoader<string, Skill[]>;
  readonly taskCategoriesOfAgent: DataLoader<string, TaskCategory[]>;
  readonly deploymentsOfAgent: DataLoader<string, Deployment[]>;
  readonly usageOfAgent: DataLoader<string, AgentUsage>;
  readonly latencyOfAgent: DataLoader<string, AgentLatency | undefined>;
}

/** A page of the largest size. With more in one statement, it would run where several connections could share the work. */
const MOST_KEYS = 200;

/** Collects until what has arrived meanwhile has been read, then loads. It never holds a value: each load reads afresh. */
const joined = <K, V>(load: (keys: readonly K[]) => Promise<(V | Error)[]>): DataLoader<K, V> =>
  new DataLoader<K, V>(load, { cache: false, maxBatchSize: MOST_KEYS, batchScheduleFn: (run) => setImmediate(run) });

const byRegistry = new WeakMap<Registry, SharedLoaders>();

/** The shared loaders of a core. What a loader answers is given to several operations: they must not change it. */
export function sharedLoaders({ registry }: Core): SharedLoaders {
  let shared = byRegistry.get(registry);
  if (shared === undefined) {
    shared = {
      agent: joined((wanted) => loadAgents(registry, wanted)),
      skillsOfAgent: joined((ids) => registry.skillsOfAgents(ids)),
      taskCategoriesOfAgent: joined((ids) => registry.taskCategoriesOfAgents(ids)),
      deploymentsOfAgent: joined((ids) => registry.deploymentsOfAgents(ids)),
      usageOfAgent: joined((ids) => registry.usageOfAgents(ids)),
      latencyOfAgent: joined((ids) => registry.latencyOfAgents(ids)),
    };
    byRegistry.set(registry, shared);
  }
  return shared;
}

/** Everything of a principal that decides what is seen: nothing is loaded together for two that differ in it. */
const viewOf = ({ subject, anonymous, scopes }: Principal): string => [subject, anonymous, ...scopes].join(' ');

/** One statement for each view. One that fails, as a caller may not read at all, fails for its own callers alone. */
async function loadAgents(registry: Registry, wanted: readonly SeenAgent[]): Promise<(Agent | undefined | Error)[]> {
  const answers: (Agent | undefined | Error)[] = new Array(wanted.length);
  await Promise.all(
    [...Map.groupBy(wanted.keys(), (i) => viewOf(wanted[i]!.principal)).values()].map(async (places) => {
      const { principal } = wanted[places[0]!]!;
      const ids = places.map((i) => wanted[i]!.id);
      const agents = await registry.agentsById(principal, ids).catch((error: Error) => ids.map(() => error));
      for (const [n, i] of places.entries()) answers[i] = agents[n];
    }),
  );
  return answers;
}
