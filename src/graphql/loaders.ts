import DataLoader from 'dataloader';
import type { Principal } from '../auth/principal.ts';
import type { Task as TaskContents } from '../protocol/a2a/model.ts';
import type { CardKey } from '../registry/cards/trust/verify.ts';
import type { Agent, AgentLatency, AgentUsage, Deployment, Provider, Skill, TaskCategory } from '../registry/model.ts';
import type { TaskRow } from '../tasks/tasks.ts';
import { type AgentTaskLoaders, agentTaskLoaders } from './agent-task-loaders.ts';
import type { Core } from './context.ts';
import { type PushLoaders, pushLoaders } from './push-loaders.ts';
import { sharedLoaders } from './shared-loaders.ts';
import { sharedTaskLoaders } from './shared-task-loaders.ts';

/** One per relation: what a list asks for item by item becomes one statement. */
export interface Loaders {
  readonly agent: Pick<DataLoader<string, Agent | undefined>, 'load'>;
  readonly provider: DataLoader<string, Provider | undefined>;
  readonly cardKeysOfProvider: DataLoader<string, CardKey[]>;
  readonly skill: DataLoader<string, Skill | undefined>;
  readonly skillsOfAgent: DataLoader<string, Skill[]>;
  readonly taskCategoriesOfAgent: DataLoader<string, TaskCategory[]>;
  readonly deploymentsOfAgent: DataLoader<string, Deployment[]>;
  readonly usageOfAgent: DataLoader<string, AgentUsage>;
  readonly latencyOfAgent: DataLoader<string, AgentLatency | undefined>;
  readonly tasksOfAgent: AgentTaskLoaders;
  readonly task: Pick<DataLoader<string, TaskRow | undefined>, 'load'>;
  /** A task that the caller's own mutation has just made or changed: its answer, which takes no scope for reading. */
  readonly ownTask: Pick<DataLoader<string, TaskRow | undefined>, 'load'>;
  /** A task with its history and artifacts. */
  readonly taskContents: Pick<DataLoader<string, TaskContents | undefined>, 'load'>;
  readonly push: PushLoaders;
}

/** Larger batches would become statements with endless arrays. */
const MOST_KEYS = 1_000;

/** Without a cache: a subscription keeps its context for hours, and each of its events must see the data of its moment. */
const loader = <V>(load: (keys: readonly string[]) => Promise<V[]>): DataLoader<string, V> =>
  new DataLoader<string, V>(load, { cache: false, maxBatchSize: MOST_KEYS });

const asReader = (principal: Principal): Principal => ({
  ...principal,
  scopes: new Set([...principal.scopes, 'tasks:read']),
});

/** The loaders of one operation. */
export function createLoaders(core: Core, principal: Principal): Loaders {
  const { registry } = core;
  const shared = sharedLoaders(core);
  // Few operations ask for it: the others must not pay for it.
  let push: PushLoaders | undefined;
  return {
    agent: { load: (id) => shared.agent.load({ id, principal }) },
    provider: loader((ids) => registry.providersById(principal, ids)),
    cardKeysOfProvider: loader((ids) => registry.cardKeysOfProviders(ids)),
    skill: loader((ids) => registry.skillsById(principal, ids)),
    skillsOfAgent: shared.skillsOfAgent,
    taskCategoriesOfAgent: shared.taskCategoriesOfAgent,
    deploymentsOfAgent: shared.deploymentsOfAgent,
    usageOfAgent: shared.usageOfAgent,
    latencyOfAgent: shared.latencyOfAgent,
    tasksOfAgent: agentTaskLoaders(core, principal),
    task: { load: (id) => sharedTaskLoaders(core).task.load({ id, principal }) },
    ownTask: { load: (id) => sharedTaskLoaders(core).task.load({ id, principal: asReader(principal) }) },
    taskContents: { load: (id) => sharedTaskLoaders(core).taskContents.load({ id, principal }) },
    get push() {
      push ??= pushLoaders(core, principal);
      return push;
    },
  };
}
