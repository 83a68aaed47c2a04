import type { Message, Task as TaskContents } from '../protocol/a2a/model.ts';
import type { TaskFilter, TaskRow, TaskStreamItem } from '../tasks/tasks.ts';
import type { TaskFilterInput } from './inputs/task.ts';
import type { TaskEvent } from './types/task.ts';

type View<T> = { readonly [K in keyof T]: unknown };

function messageOf({ event }: TaskStreamItem): Message | null {
  if (event.message !== undefined) return event.message;
  if (event.statusUpdate !== undefined) return event.statusUpdate.status.message ?? null;
  return null;
}

/** An entry of a task's log as the graph shows it, and the snapshot where it is one. */
export const toTaskEvent = (
  taskId: string,
  item: TaskStreamItem,
): View<TaskEvent> & { readonly snapshot: TaskContents | undefined } => ({
  taskId,
  sequence: item.sequence,
  kind: item.kind,
  state: item.state,
  at: item.at,
  message: messageOf(item),
  artifact: item.event.artifactUpdate?.artifact ?? null,
  append: item.event.artifactUpdate?.append ?? false,
  lastChunk: item.event.artifactUpdate?.lastChunk ?? false,
  metadata: (item.event.statusUpdate ?? item.event.artifactUpdate)?.metadata ?? null,
  reset: item.reset ?? false,
  snapshot: item.kind === 'snapshot' ? item.event.task : undefined,
});

/** A task of the graph: its row, and its contents where they are at hand already. */
export type ShownTask = TaskRow & { readonly contents?: TaskContents };

/** The task as it was when the snapshot was made: told with a later state, the events that follow would count twice. */
export const asOfSnapshot = (row: TaskRow, contents: TaskContents, sequence: number): ShownTask => ({
  ...row,
  state: contents.status.state,
  statusMessage: contents.status.message ?? null,
  statusAt: new Date(contents.status.timestamp ?? row.statusAt),
  metadata: contents.metadata ?? null,
  finishedAt: sequence === row.lastSequence ? row.finishedAt : null,
  lastSequence: sequence,
  contents,
});

/** The core's filter. */
export const toTaskFilter = (filter: TaskFilterInput | null | undefined): TaskFilter =>
  (filter ?? {}) as unknown as TaskFilter;
