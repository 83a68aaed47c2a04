import type { Query } from '../database/drivers.ts';
import type { TaskRow } from './model.ts';
import { TASK_COLUMNS, toTaskRow } from './rows.ts';

/**
 * The task that a client of the early era knows under an id of its own. Such ids mean something only together with owner
 * and agent: one caller's id never leads to another's task.
 */
export async function taskOfClientId(
  query: Query,
  owner: string,
  agentId: string,
  clientTaskId: string,
): Promise<TaskRow | undefined> {
  const rows = await query<Record<string, unknown>>(
    `select ${TASK_COLUMNS} from task t where t.owner = $1 and t.agent = $2 and t.client_task_id = $3`,
    [owner, agentId, clientTaskId],
  );
  return rows.map(toTaskRow)[0];
}

/** Takes a client's id away from a task that has ended: in the early era, a send to it begins anew under the same id. */
export async function freeClientId(query: Query, taskId: string): Promise<void> {
  await query('update task set client_task_id = null where id = $1 and finished_at is not null', [taskId]);
}
