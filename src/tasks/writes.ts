import type { Query } from '../database/drivers.ts';
import { isTerminal, type JsonObject, type Message, type TaskState } from '../protocol/a2a/model.ts';
import { type Lease, leaseEnd } from './claims.ts';
import { stateAfter } from './fold.ts';
import type { Entry, TaskRow } from './model.ts';
import { payloadOf } from './rows.ts';

/** A task that begins: row and first entry. */
export interface NewTask {
  readonly id: string;
  readonly agentId: string;
  readonly owner: string;
  readonly contextId: string;
  readonly dialect: string;
  readonly clientTaskId: string | null;
  readonly joinKey: string | null;
  readonly idempotencyKey: string | null;
  readonly entry: Entry;
  readonly at: Date;
  readonly lease: Lease;
}

const ACCEPT = `with x as (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::json[], $11::timestamptz[], $12::uuid[], $13::int[])
    as x(id, agent, owner, context, dialect, client_task_id, join_key, idempotency_key, kind, payload, at, replica, lease)
), k as (
  insert into task_key (key, task, at) select idempotency_key, id, at from x where idempotency_key is not null
  on conflict do nothing returning key
), t as (
  insert into task (id, agent, owner, context, dialect, client_task_id, join_key, state, status_at, created_at, last_sequence, dispatched_at, lease_replica, lease_epoch, lease_until)
  select id, agent, owner, context, dialect, client_task_id, join_key, 'submitted', at, at, 1, at, replica, 1, ${leaseEnd('lease')}
  from x where idempotency_key is null or idempotency_key in (select key from k)
  on conflict do nothing returning id
)
insert into task_event (task, sequence, kind, payload, at) select x.id, 1, x.kind, x.payload, x.at from x join t using (id) returning task`;

/** Writes tasks with their first entries, in one statement. Answers for each whether it was new: false, another has one of its keys. */
export async function acceptTasks(query: Query, tasks: readonly NewTask[]): Promise<boolean[]> {
  const rows = await query<{ task: string }>(
    ACCEPT,
    [
      tasks.map((t) => t.id),
      tasks.map((t) => t.agentId),
      tasks.map((t) => t.owner),
      tasks.map((t) => t.contextId),
      tasks.map((t) => t.dialect),
      tasks.map((t) => t.clientTaskId),
      tasks.map((t) => t.joinKey),
      tasks.map((t) => t.idempotencyKey),
      tasks.map((t) => t.entry.kind),
      tasks.map((t) => payloadOf(t.entry)),
      tasks.map((t) => t.at.toISOString()),
      tasks.map((t) => t.lease.replicaId),
      tasks.map((t) => t.lease.ms),
    ],
    'task-accept',
  );
  const made = new Set(rows.map((row) => row.task));
  return tasks.map((task) => made.has(task.id));
}

/** Entries to add to the log of a task, and what they change in its row. */
export interface Append {
  readonly taskId: string;
  /** The writer's lease; an older one is refused. */
  readonly epoch: number;
  readonly entries: readonly Entry[];
  readonly at: Date;
  readonly upstreamTaskId?: string | undefined;
  readonly upstreamContextId?: string | undefined;
  readonly metadata?: JsonObject | undefined;
  /** The sequence that the writer believes to be the last; asked for only when a write is tried again. */
  readonly base?: number | undefined;
  /** A send that the task now works on; see {@link NewTask.joinKey}. */
  readonly joinKey?: string | undefined;
}

/** What entries leave in the row; undefined members stay as they are. */
interface RowChange {
  state?: TaskState;
  message?: Message | undefined;
  at?: Date;
  result?: TaskRow['resultKind'];
}

function rowChange(appends: readonly Append[]): RowChange {
  const change: RowChange = {};
  for (const { entries, at } of appends) {
    for (const entry of entries) {
      const state = stateAfter(entry);
      if (state === undefined) continue;
      change.state = state;
      change.at = at;
      change.message =
        entry.kind === 'status' ? entry.status.message : entry.kind === 'result' ? entry.message : undefined;
      if (entry.kind === 'result') change.result = 'message';
    }
  }
  return change;
}

const ends = (append: Append): boolean =>
  append.entries.some((entry) => {
    const state = stateAfter(entry);
    return state !== undefined && isTerminal(state);
  });

// The join key goes when the work rests, unless a recovery took it over in the last ten minutes (DESIGN §3.3).
const APPEND = `with head as (
  update task t set
    state = coalesce(x.state, t.state),
    status_message = case when x.state is null then t.status_message else x.message end,
    status_at = coalesce(x.status_at, t.status_at),
    result_kind = coalesce(x.result_kind, t.result_kind),
    metadata = coalesce(x.metadata, t.metadata),
    last_sequence = t.last_sequence + x.count,
    upstream_task_id = coalesce(x.upstream_task_id, t.upstream_task_id),
    upstream_context_id = coalesce(x.upstream_context_id, t.upstream_context_id),
    join_key = case
      when x.join_key is not null then x.join_key
      when coalesce(x.state, 'working') in ('submitted', 'working') or t.recovered_at > now() - interval '10 minutes' then t.join_key
    end,
    lease_until = case when x.resting then null when t.lease_until is null then ${leaseEnd('$19')} else t.lease_until end,
    finished_at = case when x.finished then x.status_at end
  from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::json[], $6::timestamptz[], $7::text[], $8::json[], $9::text[], $10::text[], $11::text[], $12::bool[], $13::bool[], $20::bigint[])
    as x(id, epoch, count, state, message, status_at, result_kind, metadata, upstream_task_id, upstream_context_id, join_key, finished, resting, base)
  where t.id = x.id and t.lease_epoch = x.epoch and t.finished_at is null and (x.base is null or t.last_sequence = x.base)
  returning t.id, t.last_sequence - x.count as base
), logged as (
  insert into task_event (task, sequence, kind, payload, at)
  select head.id, head.base + e.place, e.kind, e.payload, e.at
  from unnest($14::uuid[], $15::int[], $16::text[], $17::json[], $18::timestamptz[]) as e(task, place, kind, payload, at)
  join head on head.id = e.task
)
select id, base from head`;

/**
 * Adds entries to logs and moves the rows, in one statement. Sequences are given inside it. Answers for each append the
 * sequence before its first entry; undefined when it was refused: the task has ended, or another replica has it.
 *
 * @param again the first try may have been committed before the connection broke: refuse where the log has grown since
 */
export async function appendEntries(
  query: Query,
  leaseMs: number,
  appends: readonly Append[],
  again = false,
): Promise<(number | undefined)[]> {
  const byTask = new Map<string, Append[]>();
  for (const append of appends) {
    const group = byTask.get(append.taskId);
    if (group === undefined || group[0]!.epoch < append.epoch) byTask.set(append.taskId, [append]);
    // Within one statement the row's own guard sees only the state before it.
    else if (group[0]!.epoch === append.epoch && !group.some(ends)) group.push(append);
  }
  const groups = [...byTask.values()];
  const changes = groups.map(rowChange);
  const last = <K extends keyof Append>(group: readonly Append[], key: K): Append[K] | null =>
    group.findLast((append) => append[key] !== undefined)?.[key] ?? null;
  const json = (value: unknown): string | null => (value == null ? null : JSON.stringify(value));
  const entries = groups.flatMap((group) => {
    let place = 0;
    return group.flatMap((append) =>
      append.entries.map((entry) => ({ task: append.taskId, place: ++place, entry, at: append.at.toISOString() })),
    );
  });
  const rows = await query<{ id: string; base: number }>(
    APPEND,
    [
      groups.map((group) => group[0]!.taskId),
      groups.map((group) => group[0]!.epoch),
      groups.map((group) => group.reduce((n, append) => n + append.entries.length, 0)),
      changes.map((change) => change.state ?? null),
      changes.map((change) => json(change.message)),
      changes.map((change) => change.at?.toISOString() ?? null),
      changes.map((change) => change.result ?? null),
      groups.map((group) => json(last(group, 'metadata'))),
      groups.map((group) => last(group, 'upstreamTaskId')),
      groups.map((group) => last(group, 'upstreamContextId')),
      groups.map((group) => last(group, 'joinKey')),
      changes.map((change) => change.state !== undefined && isTerminal(change.state)),
      changes.map((change) => change.state === 'input-required'),
      entries.map((it) => it.task),
      entries.map((it) => it.place),
      entries.map((it) => it.entry.kind),
      entries.map((it) => payloadOf(it.entry)),
      entries.map((it) => it.at),
      leaseMs,
      groups.map((group) => (again ? (group[0]!.base ?? null) : null)),
    ],
    'task-append',
  );
  const bases = new Map(rows.map((row) => [row.id, Number(row.base)]));
  return appends.map((append) => {
    const base = bases.get(append.taskId);
    if (base === undefined || !byTask.get(append.taskId)?.includes(append)) return undefined;
    bases.set(append.taskId, base + append.entries.length);
    return base;
  });
}
