import DataLoader from 'dataloader';
import type { Principal } from '../auth/principal.ts';
import type { Task as TaskContents } from '../protocol/a2a/model.ts';
import type { Agent, AgentUsage, Provider, Skill, TaskCategory } from '../registry/model.ts';
import type { TaskRow } from '../tasks/tasks.ts';
import type { Core } from './context.ts';
import { sharedLoaders } from './shared-loaders.ts';

/** One per relation: what a list asks for item by item becomes one statement. */
export interface Loaders {
  readonly agent: Pick<DataLoader<string, Agent | undefined>, 'load'>;
  readonly provider: DataLoader<string, Provider | undefined>;
  readonly skill: DataLoader<string, Skill | undefined>;
  readonly skillsOfAgent: DataLoader<string, Skill[]>;
  readonly taskCategoriesOfAgent: DataLoader<string, TaskCategory[]>;
  readonly usageOfAgent: DataLoader<string, AgentUsage>;
  readonly task: DataLoader<string, TaskRow | undefined>;
  /** A task with its history and artifacts. */
  readonly taskContents: DataLoader<string, TaskContents | undefined>;
}

/** Larger batches would become statements with endless arrays. */
const MOST_KEYS = 1_000;

/** Without a cache: a subscription keeps its context for hours, and each of its events must see the data of its moment. */
const loader = <V>(load: (keys: readonly string[]) => Promise<V[]>): DataLoader<string, V> =>
  new DataLoader<string, V>(load, { cache: false, maxBatchSize: MOST_KEYS });

/** The loaders of one operation. */
export function createLoaders(core: Core, principal: Principal): Loaders {
  const { registry, tasks } = core;
  const shared = sharedLoaders(core);
  return {
    agent: { load: (id) => shared.agent.load({ id, principal }) },
    provider: loader((ids) => registry.providersById(principal, ids)),
    skill: loader((ids) => registry.skillsById(principal, ids)),
    skillsOfAgent: shared.skillsOfAgent,
    taskCategoriesOfAgent: shared.taskCategoriesOfAgent,
    usageOfAgent: shared.usageOfAgent,
    task: loader((ids) => tasks.rowsById(principal, ids)),
    taskContents: loader((ids) => tasks.contentsById(principal, ids)),
  };
}
