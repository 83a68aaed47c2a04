import type { JsonObject } from '../../protocol/a2a/model.ts';
import { type Lease, leaseEnd } from '../claims.ts';
import type { Entry } from '../model.ts';
import type { SealedConfig } from '../push/registration.ts';
import { payloadOf } from '../rows.ts';
import type { Placeholder } from './statement.ts';

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

/**
 * The subqueries that write tasks with their first entries, over {@link acceptValues}. `made` has the ids of those that
 * were new; the others have a key that another task has.
 */
export const acceptSql = ($: Placeholder): string => `x as (
  select * from unnest(${$(1)}::uuid[], ${$(2)}::uuid[], ${$(3)}::uuid[], ${$(4)}::text[], ${$(5)}::text[], ${$(6)}::text[], ${$(7)}::text[], ${$(8)}::text[], ${$(9)}::text[], ${$(10)}::json[], ${$(11)}::timestamptz[], ${$(12)}::uuid[], ${$(13)}::int[], ${$(14)}::bool[], ${$(15)}::json[])
    as x(id, agent, owner, context, dialect, client_task_id, join_key, idempotency_key, kind, payload, at, replica, lease, push, place)
), k as (
  insert into task_key (key, task, at) select idempotency_key, id, at from x where idempotency_key is not null
  on conflict do nothing returning task
), t as (
  insert into task (id, agent, owner, context, dialect, client_task_id, join_key, state, status_at, created_at, last_sequence, dispatched_at, lease_replica, lease_epoch, lease_until, push, elsewhere)
  select id, agent, owner, context, dialect, client_task_id, join_key, 'submitted', at, at, 1, at, replica, 1, ${leaseEnd('lease')}, push, place is not null
  from x where idempotency_key is null or id in (select task from k)
  on conflict do nothing returning id
), j as (
  insert into task_job (task, place, heard_at, poll_at) select x.id, x.place, x.at, x.at + ${CREATED_WITHIN_SQL}
  from x join t using (id) where x.place is not null
), made as (
  insert into task_event (task, sequence, kind, payload, at) select x.id, 1, x.kind, x.payload, x.at from x join t using (id) returning task
)`;

/**
 * The subquery that stores the webhooks of new tasks, over {@link pushValues}: in the same statement, so that no event
 * comes before them. Behind from the start: event 1 is their first.
 */
export const acceptPushSql = ($: Placeholder): string => `c as (
  insert into push_config (id, task, name, url, token, scheme, credentials, dialect, cursor, head, next_at, created_at, updated_at)
  select c.id, c.task, c.name, c.url, c.token, c.scheme, c.credentials, c.dialect, 0, 1, now(), now(), now()
  from unnest(${$(1)}::uuid[], ${$(2)}::uuid[], ${$(3)}::text[], ${$(4)}::text[], ${$(5)}::text[], ${$(6)}::text[], ${$(7)}::text[], ${$(8)}::text[])
    as c(id, task, name, url, token, scheme, credentials, dialect) join t on t.id = c.task
)`;

const PUSH_COLUMNS = ['id', 'taskId', 'name', 'url', 'token', 'scheme', 'credentials', 'dialect'] as const;

export const acceptValues = (tasks: readonly NewTask[]): unknown[] => [
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
  tasks.map((t) => t.lease?.replicaId ?? null),
  tasks.map((t) => t.lease?.ms ?? null),
  tasks.map((t) => t.push !== undefined),
  tasks.map((t) => (t.place === undefined ? null : JSON.stringify(t.place))),
];

export const pushValues = (pushes: readonly SealedConfig[]): unknown[] =>
  PUSH_COLUMNS.map((column) => pushes.map((push) => push[column]));
