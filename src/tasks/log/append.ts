import { isTerminal, type JsonObject, type Message, type TaskState } from '../../protocol/a2a/model.ts';
import { leaseEnd } from '../claims.ts';
import { stateAfter } from '../fold.ts';
import type { Entry, TaskRow } from '../model.ts';
import { payloadOf } from '../rows.ts';
import { type Column, givenSql, givenValues } from './given.ts';
import type { StatementPart } from './statement.ts';

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

/** What a statement does to the row of one task. */
interface Move {
  readonly append: Append;
  readonly group: readonly Append[];
  readonly change: RowChange;
  /** Where the log must still end; null: wherever it does. */
  readonly base: number | null;
}

const MOVES: readonly Column<Move>[] = [
  ['id', 'uuid', ({ append }) => append.taskId],
  ['epoch', 'int', ({ append }) => append.epoch],
  ['count', 'int', ({ group }) => group.reduce((n, append) => n + append.entries.length, 0)],
  ['state', 'text', ({ change }) => change.state ?? null],
  ['message', 'json', ({ change }) => json(change.message)],
  ['status_at', 'timestamptz', ({ change }) => change.at?.toISOString() ?? null],
  ['result_kind', 'text', ({ change }) => change.result ?? null],
  ['metadata', 'json', ({ group }) => json(last(group, 'metadata'))],
  ['upstream_task_id', 'text', ({ group }) => last(group, 'upstreamTaskId')],
  ['upstream_context_id', 'text', ({ group }) => last(group, 'upstreamContextId')],
  ['join_key', 'text', ({ group }) => last(group, 'joinKey')],
  ['finished', 'bool', ({ change }) => change.state !== undefined && isTerminal(change.state)],
  ['resting', 'bool', ({ change }) => change.state === 'input-required'],
  ['base', 'bigint', ({ base }) => base],
];

/** An entry, counted from 1 within what its task is given. */
interface Placed {
  readonly append: Append;
  readonly place: number;
  readonly entry: Entry;
}

const ENTRIES: readonly Column<Placed>[] = [
  ['task', 'uuid', ({ append }) => append.taskId],
  ['place', 'int', ({ place }) => place],
  ['kind', 'text', ({ entry }) => entry.kind],
  ['payload', 'json', ({ entry }) => payloadOf(entry)],
  ['at', 'timestamptz', ({ append }) => append.at.toISOString()],
];

function placed(group: readonly Append[]): Placed[] {
  let place = 0;
  return group.flatMap((append) => append.entries.map((entry) => ({ append, place: ++place, entry })));
}

/**
 * Adds entries to logs and moves the rows. Sequences are given inside. `head` has id, base (the sequence before the first
 * entry) and push (it has webhooks) of the tasks that took their entries; the others have ended, or another replica has
 * them.
 *
 * The head of a task's webhooks moves in the same statement: they are behind as soon as the entries are there, whatever
 * becomes of this process. Tasks without webhooks are left out by a flag in their row.
 *
 * The join key goes when the work rests, unless a recovery took it over in the last ten minutes (DESIGN §3.3). "Has not
 * ended" is written as the index of unfinished tasks has it: a plan that was made while the table was small and is kept
 * reads those then, and not the whole table for as long as nothing analyses it.
 *
 * @param again the first try may have been committed before the connection broke: refuse where the log has grown since
 */
export function appendPart(byTask: AppendGroups, leaseMs: number, again: boolean): StatementPart {
  const moves = [...byTask.values()].map((group): Move => {
    const append = group[0]!;
    return { append, group, change: rowChange(group), base: again ? (append.base ?? null) : null };
  });
  const entries = moves.flatMap(({ group }) => placed(group));
  const entriesFrom = MOVES.length;
  const leaseAt = MOVES.length + ENTRIES.length + 1;
  return {
    key: `append${moves.length === 1 ? '-one' : ''}${entries.length === 1 ? '-entry' : ''}`,
    values: [...givenValues(MOVES, moves), ...givenValues(ENTRIES, entries), leaseMs],
    sql: ($) => `head as (
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
    lease_until = case when y.resting or t.elsewhere then null when t.lease_until is null then ${leaseEnd($(leaseAt))} else t.lease_until end,
    finished_at = case when y.finished then y.status_at end
  from (${givenSql(MOVES, $, moves.length)}) y
  where t.id = y.id and t.lease_epoch = y.epoch and (y.base is null or t.last_sequence = y.base)
    and t.finished_at is null
  returning t.id, t.last_sequence - y.count as base, t.last_sequence as head, t.finished_at is not null as ended, t.push
), pushed as (
  update push_config c set head = head.head, ended = head.ended from head where head.push and c.task = head.id
), logged as (
  insert into task_event (task, sequence, kind, payload, at)
  select head.id, head.base + e.place, e.kind, e.payload, e.at
  from (${givenSql(ENTRIES, (n) => $(entriesFrom + n), entries.length)}) e join head on head.id = e.task
)`,
    answer: 'select id, base, push from head',
  };
}
