import type { Principal } from '../auth/principal.ts';
import { RollcallError } from '../errors.ts';
import { isTerminal } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import { beginTask } from './begin.ts';
import { freeClientId, taskOfClientId } from './client-ids.ts';
import { followUp } from './follow-up.ts';
import { identityOf } from './idempotency.ts';
import type { EngineParts, Send, SendOptions } from './send.ts';
import { checkSend } from './send-request.ts';
import type { SentTask } from './sent-task.ts';

/** Takes a message in: finds its agent, and whether it begins a task or goes on with one. */
export async function sendMessage(
  parts: EngineParts,
  principal: Principal,
  agentId: string,
  request: SendRequest,
  options: SendOptions,
): Promise<SentTask> {
  const { agents, executors, draining, runs } = parts;
  if (draining.aborted) throw new RollcallError('SHUTTING_DOWN', 'The server is stopping and takes no new work.');
  checkSend(request);
  const reachable = await agents.forSender(principal, agentId);
  const { message, clientIds } = request;
  const send: Send = {
    principal,
    reachable,
    executor: executors.forAgent(reachable.agent),
    request,
    options,
    identity: identityOf(principal.subject, reachable.agent.id, message, options.idempotencyKey),
  };
  const { taskId } = message;
  if (taskId !== undefined) return runs.inTurn(taskId, () => followUp(parts, send, taskId));
  return clientIds === undefined ? beginTask(parts, send, message.contextId) : withClientIds(parts, send, clientIds);
}

/**
 * A send of the early era, where the client names the task: an id that is new begins one, one at work goes on, and one
 * that has ended begins anew in the same conversation, under the same id.
 */
async function withClientIds(
  parts: EngineParts,
  send: Send,
  clientIds: NonNullable<SendRequest['clientIds']>,
): Promise<SentTask> {
  const { query } = parts.database;
  const agentId = send.reachable.agent.id;
  const known = await taskOfClientId(query, send.principal.subject, agentId, clientIds.taskId);
  if (known === undefined) return beginTask(parts, send, clientIds.contextId);
  if (!isTerminal(known.state)) return parts.runs.inTurn(known.id, () => followUp(parts, send, known.id));
  await freeClientId(query, known.id);
  return beginTask(parts, send, known.contextId);
}
