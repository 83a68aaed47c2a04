import { newId } from '../database/ids.ts';
import { writeAudit } from '../registry/audit/write.ts';
import { TaskFold } from './fold.ts';
import { taskOfIdentity } from './idempotency.ts';
import type { Entry } from './model.ts';
import { pushRegistered } from './push/audit.ts';
import { upstreamContextOf } from './reads.ts';
import { readySend } from './ready-send.ts';
import { Run } from './run.ts';
import { ATTEMPTS, driven, type EngineParts, joined, type Send } from './send.ts';
import { toAgent, toLog } from './send-request.ts';
import { type SentTask, startOf } from './sent-task.ts';

/**
 * Begins a task: stores message, task and first entry in one commit, before anything of it leaves, then sends. A send that
 * repeats one at work joins it. Undefined when another message has the id that the client chose for the task, or whoever
 * had the send's key kept giving it up.
 *
 * @param contextId the conversation that it belongs to; a new one when undefined
 */
export async function beginTask(
  parts: EngineParts,
  send: Send,
  contextId: string | undefined,
): Promise<SentTask | undefined> {
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
  const wire = toAgent(request, null, upstreamContextId);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const ids = { id: newId(), contextId: contextId ?? newId() };
    const task = { id: ids.id, agentId: agent.id, owner: principal.subject };
    const at = new Date();
    const webhook = send.push && parts.push.seal(send.push, ids.id);
    // Before the commit that many tasks share: the log may tell of a task that never was, and misses none.
    if (webhook !== undefined) {
      const shown = { ...webhook, hasToken: webhook.token !== null, hasCredentials: webhook.credentials !== null };
      await writeAudit(database.query, principal, pushRegistered(ids.id, shown));
    }
    const stored = journal.accept({
      ...task,
      ...identity,
      contextId: ids.contextId,
      dialect: options.dialect ?? '1.0',
      clientTaskId,
      entry,
      at,
      lease,
      push: webhook,
    });
    const stop = new AbortController();
    const ready = readySend(send, wire, stop);
    const made = await stored.catch((error: unknown) => {
      ready.drop();
      throw error;
    });
    if (made) {
      const fold = new TaskFold(ids);
      fold.apply({ sequence: 1, at, entry });
      const start = startOf(fold, at);
      const cancel = (id: string, signal: AbortSignal) => executor.cancel(reachable, id, { signal });
      const open = () => ready.events();
      return driven(parts, new Run({ task, fold, epoch: 1, journal, stop, open, cancel }), start, request);
    }
    ready.drop();
    const other = await taskOfIdentity(database.query, identity);
    if (other !== undefined) return joined(parts, other, request);
    if (clientTaskId !== null) return undefined;
    // Whoever had the key gave it up in between.
  }
  return undefined;
}
