import type { Principal } from '../auth/principal.ts';
import { RollcallError } from '../errors.ts';
import type { DialectName } from '../protocol/a2a/dialects/index.ts';
import { isTerminal } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import { beginTask } from './begin.ts';
import { freeClientId, taskKnownAs } from './client-ids.ts';
import { followUp } from './follow-up.ts';
import { identityOf, repeatedBy } from './idempotency.ts';
import type { Run } from './run.ts';
import { ATTEMPTS, type EngineParts, joined, manyAtOnce, type Send, type SendOptions, savePush } from './send.ts';
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
  const { agents, executors, draining } = parts;
  if (draining.aborted) throw new RollcallError('SHUTTING_DOWN', 'The server is stopping and takes no new work.');
  checkSend(request);
  const reachable = await agents.forSender(principal, agentId);
  const { message, configuration } = request;
  const webhook = configuration?.taskPushNotificationConfig;
  const repeats = options.idempotencyKey ?? message.messageId;
  const send: Send = {
    principal,
    reachable,
    executor: executors.forAgent(reachable.agent),
    request,
    options,
    identity: identityOf(principal.subject, reachable.agent.id, request, options.idempotencyKey),
    push:
      webhook && (await parts.push.register(principal, webhook, (options.dialect ?? '1.0') as DialectName, repeats)),
  };
  const sent = await inPlace(parts, send);
  // A repetition may be the first to bring the webhook; where it is not, the same one is replaced by itself.
  if (sent.joined) await savePush(parts, send, sent.taskId);
  return sent;
}

/** Sends in a place of the caller's, which is free again when the work is over. @throws RollcallError RATE_LIMITED. */
async function inPlace(parts: EngineParts, send: Send): Promise<SentTask> {
  const release = parts.running.hold(send.principal.subject, send.principal);
  let run: Run | undefined;
  try {
    const sent = await dispatch(parts, send);
    if (!sent.joined) run = parts.runs.of(sent.taskId);
    return sent;
  } finally {
    if (run === undefined) release();
    else void run.over.then(release);
  }
}

async function dispatch(parts: EngineParts, send: Send): Promise<SentTask> {
  const { runs } = parts;
  const { message, clientIds } = send.request;
  const { taskId } = message;
  if (taskId !== undefined) return runs.inTurn(taskId, () => followUp(parts, send, taskId));
  if (clientIds !== undefined) return withClientIds(parts, send, clientIds);
  const begun = await beginTask(parts, send, message.contextId);
  if (begun === undefined) throw manyAtOnce();
  return begun;
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
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const known = await taskKnownAs(query, send.principal.subject, agentId, clientIds.taskId);
    if (known !== undefined && !isTerminal(known.state)) {
      return parts.runs.inTurn(known.id, () => followUp(parts, send, known.id));
    }
    const same = known && (await repeatedBy(query, send.identity, known));
    if (same !== undefined) return joined(parts, same, send.request);
    if (known !== undefined) await freeClientId(query, known.id);
    const begun = await beginTask(parts, send, known?.contextId ?? clientIds.contextId);
    if (begun !== undefined) return begun;
    // Another message took the id in between: this one goes on with its task.
  }
  throw manyAtOnce();
}
