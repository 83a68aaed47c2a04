import { RollcallError } from '../errors.ts';
import type { DialectName, WriteOptions } from '../protocol/a2a/dialects/index.ts';
import type { TaskRow } from '../tasks/tasks.ts';
import type { A2aCore, Call } from './call.ts';

/** A task that a request names, and how to answer about it. */
export interface FoundTask {
  readonly row: TaskRow;
  readonly dialect: DialectName;
  /** The ids as this client knows them. */
  readonly ids: WriteOptions;
}

type Lookup = 'ours' | 'theirs';

/** Which ids a request may mean, in the order in which they are tried. */
function lookups({ dialect, ambiguous }: Call): readonly Lookup[] {
  if (ambiguous) return ['ours', 'theirs'];
  return dialect === 'early' ? ['theirs', 'ours'] : ['ours'];
}

/**
 * The task that a request names: by our id, or in the early era by the one that this caller chose for this agent.
 * A task of another agent is not found here, as the agent is part of the address.
 *
 * @throws RollcallError TASK_NOT_FOUND, UNAUTHENTICATED, FORBIDDEN (scope tasks:read).
 */
export async function findTask({ tasks }: A2aCore, call: Call, id: string): Promise<FoundTask> {
  const { principal, agentId } = call;
  for (const lookup of lookups(call)) {
    const ours = lookup === 'ours' ? id : await tasks.idOfClientId(principal, agentId, id);
    const [row] = ours === undefined ? [] : await tasks.rowsById(principal, [ours]);
    if (row !== undefined && row.agentId === agentId) return { row, ...answering(call, row) };
  }
  throw taskNotFound(id);
}

/** In which dialect, and with which ids, a caller hears of a task. */
export function answering(call: Call, row: TaskRow): Omit<FoundTask, 'row'> {
  const dialect = call.ambiguous && row.dialect === 'early' ? 'early' : call.dialect;
  // Who may see everyone's tasks is not told what their owners call them.
  const chosen = row.owner === call.principal.subject ? row.clientTaskId : null;
  return { dialect, ids: chosen === null ? {} : { taskId: chosen } };
}

export const taskNotFound = (id: string): RollcallError =>
  new RollcallError('TASK_NOT_FOUND', `This agent has no task ${JSON.stringify(id.slice(0, 255))} that you may see.`);
