import { newId } from '../database/ids.ts';
import { RollcallError } from '../errors.ts';
import { taskOfClientId } from './client-ids.ts';
import { TaskFold } from './fold.ts';
import { taskOfIdentity } from './idempotency.ts';
import type { Entry } from './model.ts';
import { upstreamContextOf } from './reads.ts';
import { Run } from './run.ts';
import { ATTEMPTS, callOptions, driven, type EngineParts, joined, type Send } from './send.ts';
import { toAgent, toLog } from './send-request.ts';
import { type SentTask, startOf } from './sent-task.ts';

/**
 * Begins a task: stores message, task and first entry in one commit before anything else, then sends. A send that
 * repeats one at work joins it.
 *
 * @param contextId the conversation that it belongs to; a new one when undefined
 */
export async function beginTask(parts: EngineParts, send: Send, contextId: string | undefined): Promise<SentTask> {
  const { database, journal, lease } = parts;
  const { principal, reachable, executor, request, options, identity } = send;
  const { agent } = reachable;
  const upstreamContextId =
    contextId === undefined ? null : await upstreamContextOf(database.query, principal.subject, agent.id, contextId);
  const entry: Entry = {
    kind: 'created',
    message: toLog(request.message),
    ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
  };
  const clientTaskId = request.clientIds?.taskId ?? null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const ids = { id: newId(), contextId: contextId ?? newId() };
    const task = { id: ids.id, agentId: agent.id, owner: principal.subject };
    const at = new Date();
    const made = await journal.accept({
      ...task,
      ...identity,
      contextId: ids.contextId,
      dialect: options.dialect ?? '1.0',
      clientTaskId,
      entry,
      at,
      lease,
    });
    if (made) {
      const fold = new TaskFold(ids);
      fold.apply({ sequence: 1, at, entry });
      const start = startOf(fold, at);
      const wire = toAgent(request, null, upstreamContextId);
      const open = (signal: AbortSignal) => executor.send(reachable, wire, callOptions(options, signal));
      const cancel = (id: string, signal: AbortSignal) => executor.cancel(reachable, id, { signal });
      return driven(parts, new Run({ task, fold, epoch: 1, journal, open, cancel }), start, request);
    }
    const other =
      (await taskOfIdentity(database.query, identity)) ??
      (clientTaskId === null
        ? undefined
        : await taskOfClientId(database.query, principal.subject, agent.id, clientTaskId));
    if (other !== undefined) return joined(parts, other, request);
    // Whoever had the key gave it up in between.
  }
  throw new RollcallError('RATE_LIMITED', 'The same message is being sent many times at once; try again shortly.');
}
