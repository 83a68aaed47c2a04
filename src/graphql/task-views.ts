import type { Message } from '../protocol/a2a/model.ts';
import type { TaskStreamItem } from '../tasks/tasks.ts';
import type { TaskEvent } from './types/task.ts';

type View<T> = { readonly [K in keyof T]: unknown };

function messageOf({ event }: TaskStreamItem): Message | null {
  if (event.message !== undefined) return event.message;
  if (event.statusUpdate !== undefined) return event.statusUpdate.status.message ?? null;
  return null;
}

/** An entry of a task's log as the graph shows it. */
export const toTaskEvent = (taskId: string, item: TaskStreamItem): View<TaskEvent> => ({
  taskId,
  sequence: item.sequence,
  kind: item.kind,
  state: item.state,
  at: item.at,
  message: messageOf(item),
  artifact: item.event.artifactUpdate?.artifact ?? null,
  append: item.event.artifactUpdate?.append ?? false,
  reset: item.reset ?? false,
});
