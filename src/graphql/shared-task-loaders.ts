import DataLoader from 'dataloader';
import type { Task as TaskContents } from '../protocol/a2a/model.ts';
import type { TaskRow, Tasks, WantedTask } from '../tasks/tasks.ts';
import type { Core } from './context.ts';

/** Tasks that operations under way at the same time load together: watchers of one task share the read of each event. */
export interface SharedTaskLoaders {
  readonly task: DataLoader<WantedTask, TaskRow | undefined>;
  readonly taskContents: DataLoader<WantedTask, TaskContents | undefined>;
}

/** Callers that share one statement. Most of them want the same few tasks. */
const MOST_KEYS = 1_000;

/** Collects until what has arrived meanwhile has been read, then loads. It never holds a value: each load reads afresh. */
const joined = <V>(load: (wanted: readonly WantedTask[]) => Promise<(V | Error)[]>): DataLoader<WantedTask, V> =>
  new DataLoader<WantedTask, V>(load, {
    cache: false,
    maxBatchSize: MOST_KEYS,
    batchScheduleFn: (run) => setImmediate(run),
  });

const byTasks = new WeakMap<Tasks, SharedTaskLoaders>();

/** The shared loaders of a core. What a loader answers is given to several operations: they must not change it. */
export function sharedTaskLoaders({ tasks }: Core): SharedTaskLoaders {
  let shared = byTasks.get(tasks);
  if (shared === undefined) {
    shared = {
      task: joined((wanted) => tasks.rowsSeenBy(wanted)),
      taskContents: joined((wanted) => tasks.contentsSeenBy(wanted)),
    };
    byTasks.set(tasks, shared);
  }
  return shared;
}
