import type { Principal } from '../auth/principal.ts';
import type { Query } from '../database/drivers.ts';
import { isUuid } from '../database/ids.ts';
import { Values } from '../database/values.ts';
import { RollcallError } from '../errors.ts';
import type { Task } from '../protocol/a2a/model.ts';
import { decodeCursor, encodeCursor, MOMENT_KEY, pageSize, UUID_KEY } from '../registry/lists/cursor.ts';
import { filterSql, type TaskFilter } from './filter.ts';
import { TaskFold } from './fold.ts';
import type { TaskRow } from './model.ts';
import { type EventRow, TASK_COLUMNS, toLogged, toTaskRow } from './rows.ts';

/** Which tasks, and how much of them. */
export interface TaskListRequest extends TaskFilter {
  /** 1 to 200; 20 when left out. */
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  /** The most recent messages of each task; 0, the default, leaves the history out. */
  readonly historyLength?: number | undefined;
  readonly includeArtifacts?: boolean | undefined;
}

/** A task in a list. */
export interface ListedTask {
  readonly row: TaskRow;
  /** With history and artifacts as far as they were asked for. */
  readonly task: Task;
  readonly cursor: string;
}

/** One page, newest status first. */
export interface TaskPage {
  readonly items: readonly ListedTask[];
  readonly hasNextPage: boolean;
}

const ORDER = 'taskStatus';
/**
 * Most bytes of messages and artifacts on a page. They are one answer in memory, and as one text of JSON: without a bound a
 * page of large artifacts stops everything else for seconds, or cannot be written at all.
 */
const MOST_BYTES = 64 * 1024 * 1024;

const where = (all: readonly string[]): string => (all.length === 0 ? '' : `where ${all.join(' and ')}`);

/** The condition of the page after a cursor. @throws RollcallError INVALID_INPUT. */
export function beyond({ after }: TaskListRequest, values: Values): string[] {
  if (after == null) return [];
  const [at, id] = decodeCursor(after, ORDER, [MOMENT_KEY, UUID_KEY]);
  return [`(t.status_at, t.id) < (${values.add(at)}::timestamptz, ${values.add(id)}::uuid)`];
}

/** The cursor of a row, before it becomes a task. */
export const cursorOf = (row: Record<string, unknown>): string =>
  encodeCursor(ORDER, [String(row['statusAt']), String(row['id'])]);

/** One page of the tasks that the caller may see, by time of status, newest first. */
export async function listTasks(query: Query, principal: Principal, request: TaskListRequest): Promise<TaskPage> {
  const size = pageSize(request.first);
  const values = new Values();
  const all = filterSql(principal, request, values);
  if (all === undefined) return { items: [], hasNextPage: false };
  all.push(...beyond(request, values));
  const rows = await query<Record<string, unknown>>(
    `select ${TASK_COLUMNS} from task t ${where(all)} order by t.status_at desc, t.id desc limit ${size + 1}`,
    values.list,
  );
  const cursors = rows.map(cursorOf);
  const tasks = rows.slice(0, size).map(toTaskRow);
  const folds = await foldsOf(query, tasks, request, MOST_BYTES);
  const items = tasks.map((row, i) => ({ row, task: shown(row, folds.get(row.id), request), cursor: cursors[i]! }));
  return { items, hasNextPage: rows.length > size };
}

/** How many tasks the filters leave. */
export async function countTasks(query: Query, principal: Principal, request: TaskListRequest): Promise<number> {
  const values = new Values();
  const all = filterSql(principal, request, values);
  if (all === undefined) return 0;
  const rows = await query<{ n: number }>(`select count(*) as n from task t ${where(all)}`, values.list);
  return Number(rows[0]?.n ?? 0);
}

/**
 * What of the logs a list needs, in one statement; artifact chunks only when artifacts are asked for.
 *
 * @param mostBytes nothing beyond it leaves the database
 * @throws RollcallError PAYLOAD_TOO_LARGE.
 */
async function foldsOf(
  query: Query,
  rows: readonly TaskRow[],
  { historyLength = 0, includeArtifacts = false }: TaskListRequest,
  mostBytes?: number,
): Promise<Map<string, TaskFold>> {
  const folds = new Map(rows.map((row) => [row.id, new TaskFold(row)]));
  if (rows.length === 0 || (historyLength === 0 && !includeArtifacts)) return folds;
  const ids = rows.map((row) => row.id);
  const events = `from task_event where task = any($1::uuid[]) ${includeArtifacts ? '' : `and kind <> 'artifact'`}`;
  if (mostBytes === undefined) {
    const all = await query<EventRow>(`select task, sequence, kind, payload, at ${events} order by task, sequence`, [
      ids,
    ]);
    for (const event of all) folds.get(event.task)?.apply(toLogged(event));
    return folds;
  }
  const measured = await query<EventRow & { readonly total: number }>(
    `select task, sequence, kind, case when total <= $2 then payload end as payload, at, total from (
       select *, sum(bytes) over (order by task, sequence) as total
       from (select *, octet_length(payload::text) as bytes ${events}) e
     ) m where total - bytes <= $2 order by task, sequence`,
    [ids, mostBytes],
  );
  if (Number(measured.at(-1)?.total ?? 0) > mostBytes) throw tooMuch(mostBytes);
  for (const event of measured) folds.get(event.task)?.apply(toLogged(event));
  return folds;
}

const tooMuch = (bytes: number): RollcallError =>
  new RollcallError(
    'PAYLOAD_TOO_LARGE',
    `The messages and artifacts of this page are more than ${bytes / 2 ** 20} MiB; ask for fewer tasks at a time, or without artifacts.`,
  );

function shown(row: TaskRow, fold: TaskFold | undefined, request: TaskListRequest): Task {
  const { artifacts, history } = fold?.snapshot(request.historyLength ?? 0) ?? {};
  const ids = { taskId: row.id, contextId: row.contextId };
  return {
    id: row.id,
    contextId: row.contextId,
    status: {
      state: row.state,
      ...(row.statusMessage === null ? {} : { message: { ...row.statusMessage, ...ids } }),
      timestamp: row.statusAt.toISOString(),
    },
    ...(request.includeArtifacts ? { artifacts: artifacts ?? [] } : {}),
    ...(history === undefined || history.length === 0 ? {} : { history }),
    ...(row.metadata === null ? {} : { metadata: row.metadata }),
  };
}

/** The tasks of these ids that the caller may see, in their order; undefined for the rest. One statement. */
export async function tasksById(
  query: Query,
  principal: Principal,
  ids: readonly string[],
): Promise<(TaskRow | undefined)[]> {
  const values = new Values();
  const all = filterSql(principal, {}, values);
  if (all === undefined) return ids.map(() => undefined);
  all.push(`t.id = any(${values.add(ids.filter(isUuid))}::uuid[])`);
  const rows = await query<Record<string, unknown>>(`select ${TASK_COLUMNS} from task t ${where(all)}`, values.list);
  const found = new Map(rows.map(toTaskRow).map((row) => [row.id, row]));
  return ids.map((id) => found.get(id.toLowerCase()));
}

/** As {@link tasksById}, each with its whole history and artifacts. Two statements, however many tasks. */
export async function taskContentsById(
  query: Query,
  principal: Principal,
  ids: readonly string[],
): Promise<(Task | undefined)[]> {
  return contentsOf(query, await tasksById(query, principal, ids));
}

/** These tasks with their whole history and artifacts. One statement. */
export async function contentsOf(query: Query, rows: readonly (TaskRow | undefined)[]): Promise<(Task | undefined)[]> {
  const whole: TaskListRequest = { historyLength: Number.MAX_SAFE_INTEGER, includeArtifacts: true };
  const present = rows.filter((row) => row !== undefined);
  const folds = await foldsOf(query, present, whole);
  return rows.map((row) => row && shown(row, folds.get(row.id), whole));
}
