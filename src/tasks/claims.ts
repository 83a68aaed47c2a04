import type { Query } from '../database/drivers.ts';
import type { TaskRow } from './model.ts';
import { TASK_COLUMNS, toTaskRow } from './rows.ts';
import { LEASE_SQL } from './writes.ts';

/**
 * Makes this replica the driver of an unfinished task, whoever it was before: writes under the older epoch are refused
 * from now on. Undefined when the task has ended, or has another epoch than the caller saw.
 */
export async function claimTask(
  query: Query,
  id: string,
  replicaId: string,
  epoch: number,
): Promise<TaskRow | undefined> {
  const rows = await query<Record<string, unknown>>(
    `update task t set lease_epoch = lease_epoch + 1, lease_replica = $2, lease_until = now() + ${LEASE_SQL}
     where t.id = $1 and t.lease_epoch = $3 and t.finished_at is null returning ${TASK_COLUMNS}`,
    [id, replicaId, epoch],
    'task-claim',
  );
  return rows.map(toTaskRow)[0];
}
