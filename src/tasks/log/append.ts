import { isTerminal, type JsonObject, type Message, type TaskState } from '../../protocol/a2a/model.ts';
import { leaseEnd } from '../claims.ts';
import { stateAfter } from '../fold.ts';
import type { Entry, TaskRow } from '../model.ts';
import { payloadOf } from '../rows.ts';
import type { Placeholder } from './statement.ts';

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
  /** A send that the task now works on; see {@link TaskRow.joinKey}. */
  readonly joinKey?: string | undefined;
}

/**
 * The subqueries that add entries to logs and move the rows, over {@link appendValues}. Sequences are given inside. `head`
 * has id, base (the sequence before the first entry) and push (it has webhooks) of the tasks that took their entries; the
 * others have ended, or another replica has them.
 *
 * The head of a task's webhooks moves in the same statement: they are behind as soon as the entries are there, whatever
 * becomes of this process. Tasks without webhooks are left out by a flag in their row.
 *
 * The join key goes when the work rests, unless a recovery took it over in the last ten minutes (DESIGN §3.3). "Has not
 * ended" is written as the index of unfinished tasks has it: a plan that was made while the table was small and is kept
 * reads those then, and not the whole table for as long as nothing analyses it.
 */
export const appendSql = ($: Placeholder): string => `head as (
  update task t set
    state = coalesce(y.state, t.state),
    status_message = case when y.state is null then t.status_message else y.message end,
    status_at = coalesce(y.status_at, t.status_at),
    result_kind = coalesce(y.result_kind, t.result_kind),
    metadata = coalesce(y.metadata, t.metadata),
    last_sequence = t.last_sequence + y.count,
    upstream_task_id = coalesce(y.upstream_task_id, t.upstream_task_id),
    upstream_context_id = coalesce(y.upstream_context_id, t.upstream_context_id),
    join_key = case
      when y.join_key is not null then y.join_key
      when coalesce(y.state, 'working') in ('submitted', 'working') or t.recovered_at > now() - interval '10 minutes' then t.join_key
    end,
    lease_until = case when y.resting or t.elsewhere then null when t.lease_until is null then ${leaseEnd($(19))} else t.lease_until end,
    finished_at = case when y.finished then y.status_at end
  from unnest(${$(1)}::uuid[], ${$(2)}::int[], ${$(3)}::int[], ${$(4)}::text[], ${$(5)}::json[], ${$(6)}::timestamptz[], ${$(7)}::text[], ${$(8)}::json[], ${$(9)}::text[], ${$(10)}::text[], ${$(11)}::text[], ${$(12)}::bool[], ${$(13)}::bool[], ${$(20)}::bigint[])
    as y(id, epoch, count, state, message, status_at, result_kind, metadata, upstream_task_id, upstream_context_id, join_key, finished, resting, base)
  where t.id = y.id and t.lease_epoch = y.epoch and (y.base is null or t.last_sequence = y.base)
    and t.finished_at is null
  returning t.id, t.last_sequence - y.count as base, t.last_sequence as head, t.finished_at is not null as ended, t.push
), pushed as (
  update push_config c set head = head.head, ended = head.ended from head where head.push and c.task = head.id
), logged as (
  insert into task_event (task, sequence, kind, payload, at)
  select head.id, head.base + e.place, e.kind, e.payload, e.at
  from unnest(${$(14)}::uuid[], ${$(15)}::int[], ${$(16)}::text[], ${$(17)}::json[], ${$(18)}::timestamptz[]) as e(task, place, kind, payload, at)
  join head on head.id = e.task
)`;

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

/** What one statement adds, by task. */
export type AppendGroups = ReadonlyMap<string, readonly Append[]>;

/** The appends that a statement can take together; those it leaves out are refused. */
export function groupAppends(appends: readonly Append[]): AppendGroups {
  const byTask = new Map<string, Append[]>();
  for (const append of appends) {
    const group = byTask.get(append.taskId);
    if (group === undefined || group[0]!.epoch < append.epoch) byTask.set(append.taskId, [append]);
    // Within one statement the row's own guard sees only the state before it.
    else if (group[0]!.epoch === append.epoch && !group.some(ends)) group.push(append);
  }
  return byTask;
}

const json = (value: unknown): string | null => (value == null ? null : JSON.stringify(value));
const last = <K extends keyof Append>(group: readonly Append[], key: K): Append[K] | null =>
  group.findLast((append) => append[key] !== undefined)?.[key] ?? null;

/** @param again the first try may have been committed before the connection broke: refuse where the log has grown since */
export function appendValues(byTask: AppendGroups, leaseMs: number, again: boolean): unknown[] {
  const groups = [...byTask.values()];
  const changes = groups.map(rowChange);
  const entries = groups.flatMap((group) => {
    let place = 0;
    return group.flatMap((append) =>
      append.entries.map((entry) => ({ task: append.taskId, place: ++place, entry, at: append.at.toISOString() })),
    );
  });
  return [
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
  ];
}
