import { allows, type Principal } from '../auth/principal.ts';
import type { Query } from '../database/drivers.ts';
import { isUuid } from '../database/ids.ts';
import { RollcallError } from '../errors.ts';
import type { TaskRow } from './model.ts';
import { taskById } from './reads.ts';

export const taskNotFound = (id: string): RollcallError =>
  new RollcallError('TASK_NOT_FOUND', `There is no task ${JSON.stringify(id)} that you may see.`);

/** Owners see their tasks, and `tasks:admin` everyone's. To anyone else a task does not exist (DESIGN §3.9). */
export const seesTask = (principal: Principal, task: Pick<TaskRow, 'owner'>): boolean =>
  allows(principal, 'tasks:admin') || (!principal.anonymous && principal.subject === task.owner);

/** @throws RollcallError TASK_NOT_FOUND. */
export async function visibleTask(query: Query, principal: Principal, id: string): Promise<TaskRow> {
  // Text that is no UUID would fail the statement.
  const row = isUuid(id) ? await taskById(query, id) : undefined;
  if (row === undefined || !seesTask(principal, row)) throw taskNotFound(id);
  return row;
}
