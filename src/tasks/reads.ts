import type { Query } from '../database/drivers.ts';
import type { TaskState } from '../protocol/a2a/model.ts';
import { stateAfter, TaskFold } from './fold.ts';
import type { LoggedEntry, TaskRow } from './model.ts';
import { type EventRow, TASK_COLUMNS, toLogged, toTaskRow } from './rows.ts';

/** Most entries of one read: a page of the log in memory, not all of it. */
export const LOG_PAGE = 500;

/** A task's row, whoever asks. */
export async function taskById(query: Query, id: string): Promise<TaskRow | undefined> {
  const rows = await query<Record<string, unknown>>(
    `select ${TASK_COLUMNS} from task t where t.id = $1`,
    [id],
    'task-by-id',
  );
  return rows.map(toTaskRow)[0];
}

/** The entries of a log after `sequence`, at most `limit` of them. */
export async function logAfter(
  query: Query,
  taskId: string,
  sequence: number,
  limit = LOG_PAGE,
): Promise<LoggedEntry[]> {
  const rows = await query<EventRow>(
    `select task, sequence, kind, payload, at from task_event where task = $1 and sequence > $2 order by sequence limit $3`,
    [taskId, sequence, limit],
    'task-log-after',
  );
  return rows.map(toLogged);
}

/** The task made from its whole log. */
export async function foldOf(query: Query, row: TaskRow): Promise<TaskFold> {
  const fold = new TaskFold(row);
  fold.metadata = row.metadata;
  await catchUp(query, fold);
  return fold;
}

/** Adds what the log has beyond the fold. */
export async function catchUp(query: Query, fold: TaskFold): Promise<void> {
  for (;;) {
    const page = await logAfter(query, fold.ids.id, fold.sequence);
    for (const entry of page) fold.apply(entry);
    if (page.length < LOG_PAGE) return;
  }
}

/** How the agent calls a context of this owner, as far as it has been used. */
export async function upstreamContextOf(
  query: Query,
  owner: string,
  agentId: string,
  contextId: string,
): Promise<string | null> {
  const rows = await query<{ id: string }>(
    `select upstream_context_id as id from task where owner = $1 and context = $2 and agent = $3
     and upstream_context_id is not null order by status_at desc, id desc limit 1`,
    [owner, contextId, agentId],
    'task-upstream-context',
  );
  return rows[0]?.id ?? null;
}

/** The state of a task at a place in its log; undefined when the log does not begin before it any more. */
export async function stateAt(query: Query, taskId: string, sequence: number): Promise<TaskState | undefined> {
  const rows = await query<EventRow>(
    `select task, sequence, kind, payload, at from task_event where task = $1 and sequence <= $2
     and kind in ('created', 'status', 'result', 'snapshot') order by sequence desc limit 1`,
    [taskId, sequence],
  );
  const row = rows[0];
  return row && stateAfter(toLogged(row).entry);
}
