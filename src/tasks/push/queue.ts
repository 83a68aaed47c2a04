import type { Query } from '../../database/drivers.ts';
import { type Lease, leaseEnd } from '../claims.ts';
import { type DeliveryOutcome, KEPT_DELIVERIES } from './model.ts';
import type { SealedConfig } from './registration.ts';

/** A webhook that this replica delivers to, alone, while it holds the lease. */
export interface ClaimedConfig extends SealedConfig {
  readonly cursor: number;
  readonly attempts: number;
  readonly epoch: number;
  /** Host and port of the URL: who is behind it. */
  readonly receiver: string;
}

const RECEIVER = `lower(substring(url from '^[^:]+://([^/?#]*)'))`;

/**
 * Takes webhooks that are behind and due, longest due first; none that another replica delivers to, and none of the
 * receivers in `except`. The index holds only what is behind, so that this costs nothing while there is nothing to do.
 */
export async function claimDue(
  query: Query,
  lease: Lease,
  limit: number,
  except: readonly string[],
): Promise<ClaimedConfig[]> {
  const rows = await query<ClaimedConfig>(
    `with due as (
       select id from push_config where state = 'active' and cursor < head and next_at <= now()
         and (lease_until is null or lease_until < now()) and ${RECEIVER} <> all($4::text[])
       order by next_at limit $3 for update skip locked
     )
     update push_config c set lease_replica = $1, lease_epoch = c.lease_epoch + 1, lease_until = ${leaseEnd('$2')}
     from due where c.id = due.id
     returning c.id, c.task as "taskId", c.name, c.url, c.token, c.scheme, c.credentials, c.dialect, c.cursor, c.attempts, c.lease_epoch as epoch,
       ${RECEIVER} as receiver`,
    [lease.replicaId, lease.ms, limit, except],
    'push-claim',
  );
  return rows.map((row) => ({ ...row, cursor: Number(row.cursor) }));
}

/** Gives webhooks back as they were claimed. */
export async function giveBack(query: Query, lease: Lease, ids: readonly string[]): Promise<void> {
  await query(
    `update push_config set lease_until = null, lease_replica = null where id = any($1::uuid[]) and lease_replica = $2`,
    [ids, lease.replicaId],
    'push-give-back',
  );
}

/** Keeps webhooks this replica's. */
export async function renewClaims(query: Query, lease: Lease, ids: readonly string[]): Promise<void> {
  await query(
    `update push_config set lease_until = ${leaseEnd('$3')} where id = any($1::uuid[]) and lease_replica = $2`,
    [ids, lease.replicaId, lease.ms],
    'push-renew',
  );
}

/** Ends the leases of every other replica. For one that knows that there is none any more. */
export async function endOtherClaims(query: Query, lease: Lease): Promise<void> {
  await query(
    `update push_config set lease_until = null where state = 'active' and lease_until is not null and lease_replica <> $1`,
    [lease.replicaId],
  );
}

/** What one attempt came to. */
export interface Attempted {
  readonly sequence: number;
  readonly attempt: number;
  readonly outcome: DeliveryOutcome;
  readonly status: number | null;
  readonly error: string | null;
  readonly durationMs: number;
  /** When the same notification is tried again; 0 unless it is to be. Milliseconds. */
  readonly retryMs: number;
  /** The receiver wants nothing more. */
  readonly gone: boolean;
}

/**
 * Records an attempt, and moves the cursor over a notification that was delivered or given up. False: the webhook is
 * somebody else's now, was replaced or deleted.
 */
export async function record(query: Query, config: ClaimedConfig, attempted: Attempted): Promise<boolean> {
  const { sequence, attempt, outcome, status, error, durationMs, retryMs, gone } = attempted;
  const rows = await query(
    `with c as (
       update push_config set
         cursor = case when $5 = 'retrying' then cursor else $3 end,
         attempts = case when $5 = 'retrying' then $4 else 0 end,
         deliveries = deliveries + 1,
         next_at = now() + $9::float8 * interval '1 millisecond',
         state = case when $10::bool then 'gone' when $5 <> 'retrying' and ended and $3 >= head then 'done' else state end
       where id = $1 and lease_epoch = $2 returning id, deliveries
     ), trimmed as (
       delete from push_delivery d using c where d.config = c.id and d.number <= c.deliveries - ${KEPT_DELIVERIES}
     )
     insert into push_delivery (config, number, sequence, attempt, outcome, status, error, duration_ms, at)
     select id, deliveries, $3, $4, $5, $6, $7, $8, now() from c returning config`,
    [config.id, config.epoch, sequence, attempt, outcome, status, error, durationMs, retryMs, gone],
    'push-record',
  );
  return rows.length > 0;
}

/**
 * Gives a webhook back, with the log read up to `cursor`. True: it is behind again, as the log grew in between. The row
 * itself says so, and the writer of the log locks it: either this sees the new head, or the writer's wake-up finds it free.
 */
export async function release(query: Query, config: ClaimedConfig, cursor: number): Promise<boolean> {
  const rows = await query<{ behind: boolean }>(
    `update push_config set lease_until = null, lease_replica = null, cursor = greatest(cursor, $3),
       state = case when state = 'active' and ended and greatest(cursor, $3) >= head then 'done' else state end
     where id = $1 and lease_epoch = $2 returning state = 'active' and cursor < head and next_at <= now() as behind`,
    [config.id, config.epoch, cursor],
    'push-release',
  );
  return rows[0]?.behind ?? false;
}
