import type { Message, Task as TaskModel } from '../protocol/a2a/model.ts';
import type { TaskDetails, TaskStreamItem } from '../tasks/tasks.ts';
import type { Task, TaskEvent } from './types/task.ts';

type View<T> = { readonly [K in keyof T]: unknown };

/** A stored task as the graph shows it. */
export const toTask = ({ row, task }: TaskDetails): View<Task> => ({
  id: row.id,
  contextId: row.contextId,
  agentId: row.agentId,
  state: row.state,
  statusMessage: row.statusMessage,
  statusAt: row.statusAt,
  history: task.history ?? [],
  artifacts: task.artifacts ?? [],
  metadata: task.metadata ?? null,
});

function messageOf({ event }: TaskStreamItem): Message | null {
  if (event.message !== undefined) return event.message;
  if (event.statusUpdate !== undefined) return event.statusUpdate.status.message ?? null;
  return null;
}

/** An entry of a task's log as the graph shows it. */
export const toTaskEvent = (
  taskId: string,
  item: TaskStreamItem,
): View<TaskEvent> & { readonly snapshot: TaskModel | undefined } => ({
  taskId,
  sequence: item.sequence,
  kind: item.kind,
  state: item.state,
  at: item.at,
  message: messageOf(item),
  artifact: item.event.artifactUpdate?.artifact ?? null,
  append: item.event.artifactUpdate?.append ?? false,
  reset: item.reset ?? false,
  snapshot: item.event.task,
});
