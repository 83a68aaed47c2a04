import { setTimeout as delay } from 'node:timers/promises';
import type { Query } from '../database/drivers.ts';
import type { TaskRow } from './model.ts';
import { TASK_COLUMNS, toTaskRow } from './rows.ts';

/** How long a task stays a replica's without renewal. Milliseconds. */
export const LEASE_MS = 30_000;

/** The end of a lease that begins now, as SQL over a placeholder that holds its length in milliseconds. */
export const leaseEnd = (placeholder: string): string => `now() + ${placeholder}::int * interval '1 millisecond'`;

/** Who drives tasks, and for how long at a time. */
export interface Lease {
  readonly replicaId: string;
  readonly ms: number;
}

type Row = Record<string, unknown>;

/**
 * Makes this replica the driver of an unfinished task, whoever it was before: writes under the older epoch are refused
 * from now on. Undefined when the task has ended, or has another epoch than the caller saw.
 */
export async function claimTask(query: Query, id: string, lease: Lease, epoch: number): Promise<TaskRow | undefined> {
  const rows = await query<Row>(
    `update task t set lease_epoch = lease_epoch + 1, lease_replica = $2, lease_until = ${leaseEnd('$4')}
     where t.id = $1 and t.lease_epoch = $3 and t.finished_at is null returning ${TASK_COLUMNS}`,
    [id, lease.replicaId, epoch, lease.ms],
    'task-claim',
  );
  return rows.map(toTaskRow)[0];
}

/** Takes over tasks whose driver has not renewed its lease: at most `limit`, none that another replica is taking. */
export async function claimAbandoned(query: Query, lease: Lease, limit: number): Promise<TaskRow[]> {
  const rows = await query<Row>(
    `with due as (
       select id from task where finished_at is null and lease_until < now() order by lease_until limit $3 for update skip locked
     )
     update task t set lease_epoch = t.lease_epoch + 1, lease_replica = $1, lease_until = ${leaseEnd('$2')}, recovered_at = now()
     from due where t.id = due.id returning ${TASK_COLUMNS}`,
    [lease.replicaId, lease.ms, limit],
  );
  return rows.map(toTaskRow);
}

/** A write to a log takes a few milliseconds. */
const WRITTEN_WITHIN_MS = 50;

/**
 * Keeps tasks this replica's. Those that are being written to are left for a second look, and after that for the next
 * renewal: waiting for one row while holding others, this and a write to several logs could wait for each other.
 */
export async function renewLeases(query: Query, lease: Lease, ids: readonly string[]): Promise<void> {
  const left = await renewUnlocked(query, lease, ids);
  if (left.length === 0) return;
  await delay(WRITTEN_WITHIN_MS);
  await renewUnlocked(query, lease, left);
}

/** Answers those that were not renewed: locked, ended, or somebody else's. */
async function renewUnlocked(query: Query, lease: Lease, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await query<{ id: string }>(
    `with free as (
       select id from task where id = any($1::uuid[]) and lease_replica = $2 and finished_at is null
         and lease_until is not null for update skip locked
     )
     update task t set lease_until = ${leaseEnd('$3')} from free where t.id = free.id returning t.id`,
    [ids, lease.replicaId, lease.ms],
  );
  const renewed = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !renewed.has(id));
}

/** Ends the leases of every other replica. For one that knows that there is none any more. */
export async function endOtherLeases(query: Query, lease: Lease): Promise<void> {
  await query(
    `update task set lease_until = now() - interval '1 millisecond'
     where finished_at is null and lease_until is not null and lease_replica <> $1`,
    [lease.replicaId],
  );
}

/** Gives tasks up, so that another replica need not wait for the end of the leases. */
export async function releaseLeases(query: Query, lease: Lease, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await query(
    `update task set lease_until = now() - interval '1 millisecond' where id = any($1::uuid[]) and lease_replica = $2
     and finished_at is null and lease_until is not null`,
    [ids, lease.replicaId],
  );
}
