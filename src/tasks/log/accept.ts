import type { JsonObject } from '../../protocol/a2a/model.ts';
import { type Lease, leaseEnd } from '../claims.ts';
import type { Entry } from '../model.ts';
import type { SealedConfig } from '../push/registration.ts';
import { payloadOf } from '../rows.ts';
import { type Column, givenSql, givenValues } from './given.ts';
import type { StatementPart } from './statement.ts';

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
  /** Null for a task that runs elsewhere, which has a place instead. */
  readonly lease: Lease | null;
  readonly place?: JsonObject;
  /** A webhook that came with the first message. */
  readonly push?: SealedConfig | undefined;
}

/** After this long without an answer of the other side, a job counts as lost: longer than any call that creates one. */
const CREATED_WITHIN_SQL = `interval '15 minutes'`;

const COLUMNS: readonly Column<NewTask>[] = [
  ['id', 'uuid', (task) => task.id],
  ['agent', 'uuid', (task) => task.agentId],
  ['owner', 'uuid', (task) => task.owner],
  ['context', 'text', (task) => task.contextId],
  ['dialect', 'text', (task) => task.dialect],
  ['client_task_id', 'text', (task) => task.clientTaskId],
  ['join_key', 'text', (task) => task.joinKey],
  ['idempotency_key', 'text', (task) => task.idempotencyKey],
  ['kind', 'text', (task) => task.entry.kind],
  ['payload', 'json', (task) => payloadOf(task.entry)],
  ['at', 'timestamptz', (task) => task.at.toISOString()],
  ['replica', 'uuid', (task) => task.lease?.replicaId ?? null],
  ['lease', 'int', (task) => task.lease?.ms ?? null],
  ['push', 'bool', (task) => task.push !== undefined],
  ['place', 'json', (task) => (task.place === undefined ? null : JSON.stringify(task.place))],
];

const KEYS = `k as (
  insert into task_key (key, task, at) select idempotency_key, id, at from x where idempotency_key is not null
  on conflict do nothing returning task
),`;
const JOBS = `j as (
  insert into task_job (task, place, heard_at, poll_at) select x.id, x.place, x.at, x.at + ${CREATED_WITHIN_SQL}
  from x join t using (id) where x.place is not null
),`;

/**
 * Writes tasks with their first entries. `made` has the ids of those that were new; the others have a key that another
 * task has. Keys and places are left out of the text where no task has one: each insert of a statement costs, whether
 * there is something to insert or not.
 */
export function acceptPart(tasks: readonly NewTask[]): StatementPart {
  const keyed = tasks.some((task) => task.idempotencyKey !== null);
  const placed = tasks.some((task) => task.place !== undefined);
  const one = tasks.length === 1;
  return {
    key: `accept${one ? '-one' : ''}${keyed ? '-keyed' : ''}${placed ? '-placed' : ''}`,
    values: givenValues(COLUMNS, tasks),
    sql: (
      $,
    ) => `x as ${one ? 'not ' : ''}materialized (${givenSql(COLUMNS, $, tasks.length)}), ${keyed ? KEYS : ''} t as (
  insert into task (id, agent, owner, context, dialect, client_task_id, join_key, state, status_at, created_at, last_sequence, dispatched_at, lease_replica, lease_epoch, lease_until, push, elsewhere)
  select id, agent, owner, context, dialect, client_task_id, join_key, 'submitted', at, at, 1, at, replica, 1, ${leaseEnd('lease')}, push, place is not null
  from x ${keyed ? 'where idempotency_key is null or id in (select task from k)' : ''}
  on conflict do nothing returning id
), ${placed ? JOBS : ''} made as (
  insert into task_event (task, sequence, kind, payload, at) select x.id, 1, x.kind, x.payload, x.at from x join t using (id) returning task
)`,
    answer: 'select task as id, null::bigint as base, false as push from made',
  };
}

const PUSH_COLUMNS: readonly Column<SealedConfig>[] = [
  ['id', 'uuid', (push) => push.id],
  ['task', 'uuid', (push) => push.taskId],
  ['name', 'text', (push) => push.name],
  ['url', 'text', (push) => push.url],
  ['token', 'text', (push) => push.token],
  ['scheme', 'text', (push) => push.scheme],
  ['credentials', 'text', (push) => push.credentials],
  ['dialect', 'text', (push) => push.dialect],
];

/**
 * Stores the webhooks of new tasks: in the same statement, so that no event comes before them. Behind from the start:
 * event 1 is their first.
 */
export const pushPart = (pushes: readonly SealedConfig[]): StatementPart => ({
  key: pushes.length === 1 ? 'push-one' : 'push',
  values: givenValues(PUSH_COLUMNS, pushes),
  sql: ($) => `c as (
  insert into push_config (id, task, name, url, token, scheme, credentials, dialect, cursor, head, next_at, created_at, updated_at)
  select c.id, c.task, c.name, c.url, c.token, c.scheme, c.credentials, c.dialect, 0, 1, now(), now(), now()
  from (${givenSql(PUSH_COLUMNS, $, pushes.length)}) c join t on t.id = c.task
)`,
});
