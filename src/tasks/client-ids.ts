import type { Query } from '../database/drivers.ts';
import { isUuid } from '../database/ids.ts';
import { isTerminal } from '../protocol/a2a/model.ts';
import type { TaskRow } from './model.ts';
import { taskById } from './reads.ts';
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

/**
 * The task that a send of the early era goes on with: the one of the client's id, else one at work that has this id from
 * us. A client that was shown such a task, and answers it, must not begin another beside it.
 */
export async function taskKnownAs(
  query: Query,
  owner: string,
  agentId: string,
  id: string,
): Promise<TaskRow | undefined> {
  const chosen = await taskOfClientId(query, owner, agentId, id);
  if (chosen !== undefined || !isUuid(id)) return chosen;
  const ours = await taskById(query, id.toLowerCase());
  return ours?.owner === owner && ours.agentId === agentId && !isTerminal(ours.state) ? ours : undefined;
}

/** Takes a client's id away from a task that has ended: in the early era, a send to it begins anew under the same id. */
export async function freeClientId(query: Query, taskId: string): Promise<void> {
  await query('update task set client_task_id = null where id = $1 and finished_at is not null', [taskId]);
}
