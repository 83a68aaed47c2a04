import { setTimeout as delay } from 'node:timers/promises';
import type { Principal } from '../auth/principal.ts';
import { RollcallError } from '../errors.ts';
import { isTerminal, type StreamEvent, type Task, type TaskState } from '../protocol/a2a/model.ts';
import { writeAudit } from '../registry/audit/write.ts';
import { requireScope } from '../registry/visibility.ts';
import { visibleTask } from './access.ts';
import { readIncoming } from './incoming.ts';
import { foldOf, taskById } from './reads.ts';
import type { EngineParts } from './send.ts';

/** Without an id: a client of the early era knows the task by another one than ours. */
const notCancelable = (state: TaskState): RollcallError =>
  new RollcallError('TASK_NOT_CANCELABLE', `The task is ${state} and cannot be cancelled any more.`);

/** How long a cancel waits for the agent's first word: before it, the agent cannot be told what to stop. Milliseconds. */
const NAMING_MS = 2_000;
/** How often a cancel that met a change from elsewhere is looked at again. */
const ATTEMPTS = 5;

/**
 * Cancels a task: asks the agent, and logs what it answers. An agent that has not named the task yet cannot be asked:
 * then Rollcall hangs up and the task is cancelled.
 *
 * @throws RollcallError TASK_NOT_FOUND; TASK_NOT_CANCELABLE when it has ended or the agent will not stop; what the
 *   executor throws when the agent cannot be asked.
 */
export async function cancelTask(parts: EngineParts, principal: Principal, id: string): Promise<Task> {
  requireScope(principal, 'tasks:send');
  const { database, agents, executors, journal, recorded, runs, closing } = parts;
  const { query } = database;
  const seen = await visibleTask(query, principal, id);
  if (isTerminal(seen.state)) throw notCancelable(seen.state);
  // Before the agent is asked, which no transaction takes back: what is in the log may have failed, what happened is in it.
  if (seen.owner !== principal.subject) {
    await writeAudit(query, principal, {
      operation: 'task.cancelAsked',
      targetType: 'task',
      targetId: seen.id,
      changes: [{ field: 'state', before: seen.state, after: 'canceled' }],
    });
  }
  if (seen.elsewhere) await recorded.stop(seen.id, closing);
  const run = runs.of(seen.id);
  if (run !== undefined) await Promise.race([run.named, delay(NAMING_MS, undefined, { ref: false })]);
  const upstreamTaskId = run?.upstreamTaskId ?? seen.upstreamTaskId;
  let answer: StreamEvent = {
    statusUpdate: { taskId: upstreamTaskId ?? '', status: { state: 'canceled' } },
  };
  if (upstreamTaskId !== null) {
    const reachable = await agents.get(seen.agentId);
    const task = await executors.forAgent(reachable.agent).cancel(reachable, upstreamTaskId, { signal: closing });
    answer = { task };
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const row = await taskById(query, seen.id);
    if (row === undefined) break;
    const fold = await foldOf(query, row);
    // The run may have heard of it first.
    if (isTerminal(fold.state)) {
      if (fold.state === 'canceled') return fold.snapshot();
      throw notCancelable(fold.state);
    }
    const { entries, metadata } = readIncoming(answer, fold, true);
    const at = new Date();
    const logged = await journal.append(row, { epoch: row.leaseEpoch, entries, at, base: row.lastSequence, metadata });
    if (logged === undefined) continue;
    if (row.elsewhere) recorded.ended(row, 'canceled', at);
    for (const entry of logged) fold.apply(entry);
    if (isTerminal(fold.state)) await runs.of(seen.id)?.stop('canceled');
    return fold.snapshot();
  }
  throw new RollcallError(
    'UNSUPPORTED_OPERATION',
    `Task ${seen.id} kept changing while it was to be cancelled; try again.`,
  );
}
