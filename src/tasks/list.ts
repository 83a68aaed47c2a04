import { allows, type Principal } from '../auth/principal.ts';
import type { Query } from '../database/drivers.ts';
import { isUuid } from '../database/ids.ts';
import { Values } from '../database/values.ts';
import { invalid } from '../errors.ts';
import type { Task, TaskState } from '../protocol/a2a/model.ts';
import { decodeCursor, encodeCursor, pageSize } from '../registry/lists/cursor.ts';
import { TaskFold } from './fold.ts';
import type { TaskRow } from './model.ts';
import { type EventRow, TASK_COLUMNS, toLogged, toTaskRow } from './rows.ts';

/** Which tasks, and how much of them. Filters narrow together. */
export interface TaskListRequest {
  readonly agentId?: string | null | undefined;
  readonly contextId?: string | null | undefined;
  /** Any of these. */
  readonly states?: readonly TaskState[] | null | undefined;
  /** Inclusive: tasks whose status is this old or younger. */
  readonly statusTimestampAfter?: Date | string | null | undefined;
  /** Of this owner; for callers with tasks:admin, who otherwise see everyone's. */
  readonly owner?: string | null | undefined;
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
const MOMENT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00$/;
const UUID = /^[0-9a-f-]{36}$/;

/** The conditions of a list as SQL over `t`, ownership first; undefined when nothing can match. */
function conditions(principal: Principal, request: TaskListRequest, values: Values): string[] | undefined {
  const { agentId, contextId, states, statusTimestampAfter, owner } = request;
  const all: string[] = [];
  if (!allows(principal, 'tasks:admin')) {
    if (principal.anonymous || (owner != null && owner !== principal.subject)) return undefined;
    all.push(`t.owner = ${values.add(principal.subject)}::uuid`);
  } else if (owner != null) {
    if (!isUuid(owner)) return undefined;
    all.push(`t.owner = ${values.add(owner)}::uuid`);
  }
  if (agentId != null) {
    if (!isUuid(agentId)) return undefined;
    all.push(`t.agent = ${values.add(agentId)}::uuid`);
  }
  if (contextId != null) {
    if (contextId.includes('\u0000') || !contextId.isWellFormed()) return undefined;
    all.push(`t.context = ${values.add(contextId)}`);
  }
  if (states != null) all.push(`t.state = any(${values.add([...states])}::text[])`);
  if (statusTimestampAfter != null) {
    const moment = new Date(statusTimestampAfter);
    if (Number.isNaN(moment.getTime())) throw invalid('statusTimestampAfter', 'must be a date and time');
    all.push(`t.status_at >= ${values.add(moment.toISOString())}::timestamptz`);
  }
  return all;
}

const where = (all: readonly string[]): string => (all.length === 0 ? '' : `where ${all.join(' and ')}`);

/** One page of the tasks that the caller may see, by time of status, newest first. */
export async function listTasks(query: Query, principal: Principal, request: TaskListRequest): Promise<TaskPage> {
  const size = pageSize(request.first);
  const values = new Values();
  const all = conditions(principal, request, values);
  if (all === undefined) return { items: [], hasNextPage: false };
  if (request.after != null) {
    const [at, id] = decodeCursor(request.after, ORDER, [MOMENT, UUID]);
    all.push(`(t.status_at, t.id) < (${values.add(at)}::timestamptz, ${values.add(id)}::uuid)`);
  }
  const rows = await query<Record<string, unknown>>(
    `select ${TASK_COLUMNS} from task t ${where(all)} order by t.status_at desc, t.id desc limit ${size + 1}`,
    values.list,
  );
  const cursors = rows.map((row) => encodeCursor(ORDER, [String(row['statusAt']), String(row['id'])]));
  const tasks = rows.slice(0, size).map(toTaskRow);
  const folds = await foldsOf(query, tasks, request);
  const items = tasks.map((row, i) => ({ row, task: shown(row, folds.get(row.id), request), cursor: cursors[i]! }));
  return { items, hasNextPage: rows.length > size };
}

/** How many tasks the filters leave. */
export async function countTasks(query: Query, principal: Principal, request: TaskListRequest): Promise<number> {
  const values = new Values();
  const all = conditions(principal, request, values);
  if (all === undefined) return 0;
  const rows = await query<{ n: number }>(`select count(*) as n from task t ${where(all)}`, values.list);
  return Number(rows[0]?.n ?? 0);
}

/** What of the logs a list needs, in one statement; artifact chunks only when artifacts are asked for. */
async function foldsOf(
  query: Query,
  rows: readonly TaskRow[],
  { historyLength = 0, includeArtifacts = false }: TaskListRequest,
): Promise<Map<string, TaskFold>> {
  const folds = new Map(rows.map((row) => [row.id, new TaskFold(row)]));
  if (rows.length === 0 || (historyLength === 0 && !includeArtifacts)) return folds;
  const events = await query<EventRow>(
    `select task, sequence, kind, payload, at from task_event where task = any($1::uuid[])
     ${includeArtifacts ? '' : `and kind <> 'artifact'`} order by task, sequence`,
    [rows.map((row) => row.id)],
  );
  for (const event of events) folds.get(event.task)?.apply(toLogged(event));
  return folds;
}

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
  const all = conditions(principal, {}, values);
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
  const whole: TaskListRequest = { historyLength: Number.MAX_SAFE_INTEGER, includeArtifacts: true };
  const rows = await tasksById(query, principal, ids);
  const present = rows.filter((row) => row !== undefined);
  const folds = await foldsOf(query, present, whole);
  return rows.map((row) => row && shown(row, folds.get(row.id), whole));
}
