import { invalid, RollcallError } from '../errors.ts';
import { isTerminal } from '../protocol/a2a/model.ts';
import { taskNotFound, visibleTask } from './access.ts';
import { claimTask } from './claims.ts';
import { repeatedBy, takeKey } from './idempotency.ts';
import { appendEntries } from './log/statement.ts';
import type { Entry, TaskRow } from './model.ts';
import { foldOf } from './reads.ts';
import { Run } from './run.ts';
import { ATTEMPTS, callOptions, driven, type EngineParts, joined, type Send, savePush } from './send.ts';
import { toAgent, toLog } from './send-request.ts';
import { type SentTask, startOf } from './sent-task.ts';
import { isMoving } from './states.ts';

const ended = (task: Pick<TaskRow, 'id'>): RollcallError =>
  new RollcallError(
    'UNSUPPORTED_OPERATION',
    `Task ${task.id} has ended and takes no more messages; send one without taskId to begin another, with the same contextId to stay in the conversation.`,
  );

/**
 * Another message of a task. Whoever drove the task hands over to the run of this message, whose answer carries
 * everything that follows.
 *
 * @throws RollcallError TASK_NOT_FOUND, INVALID_INPUT (another context), UNSUPPORTED_OPERATION (it has ended),
 *   FAILED_PRECONDITION (the agent has not taken it up yet).
 */
export async function followUp(parts: EngineParts, send: Send, taskId: string): Promise<SentTask> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const seen = await continuable(parts, send, taskId);
    const same = await repeatedBy(parts.database.query, send.identity, seen);
    if (same !== undefined) return joined(parts, same, send.request);
    if (isTerminal(seen.state)) throw ended(seen);
    if (seen.elsewhere) {
      throw new RollcallError(
        'UNSUPPORTED_OPERATION',
        `Task ${seen.id} is a job that runs elsewhere and takes no messages.`,
      );
    }
    if (seen.upstreamTaskId === null) {
      throw new RollcallError(
        'FAILED_PRECONDITION',
        `The agent has not taken up task ${seen.id} yet; send the message again in a moment.`,
      );
    }
    await savePush(parts, send, seen.id);
    await parts.runs.of(seen.id)?.stop('superseded');
    const sent = await takeOver(parts, send, seen);
    if (sent !== undefined) return sent;
    // It ended, changed hands, or the same message came in elsewhere: look again.
  }
  throw new RollcallError('RATE_LIMITED', `Task ${taskId} is being written to by many at once; try again shortly.`);
}

async function continuable({ database }: EngineParts, send: Send, taskId: string): Promise<TaskRow> {
  const { principal, reachable, request } = send;
  const row = await visibleTask(database.query, principal, taskId);
  // Seeing everyone's tasks does not mean speaking for them.
  if (row.owner !== principal.subject || row.agentId !== reachable.agent.id) throw taskNotFound(taskId);
  const { contextId } = request.message;
  if (contextId !== undefined && contextId !== row.contextId) {
    throw invalid(
      'message.contextId',
      `task ${taskId} belongs to another context; leave the context out, or give the task's own`,
    );
  }
  return row;
}

async function takeOver(parts: EngineParts, send: Send, seen: TaskRow): Promise<SentTask | undefined> {
  const { database, journal, lease } = parts;
  const { reachable, executor, request, options, identity } = send;
  // In this order, so that the question comes before the answer in the history.
  const entries: Entry[] = [
    { kind: 'status', status: { state: 'working' } },
    { kind: 'message', message: toLog(request.message) },
  ];
  const at = new Date();
  const joinKey = identity.joinKey ?? undefined;
  const written = await database.transaction(async ({ query }) => {
    const row = await claimTask(query, seen.id, lease, seen.leaseEpoch);
    if (row === undefined) return undefined;
    const { idempotencyKey } = identity;
    // The epoch stays claimed when the key is gone: harmless, as the next attempt joins.
    if (idempotencyKey !== null && !(await takeKey(query, idempotencyKey, row.id, at))) return undefined;
    const append = { taskId: row.id, epoch: row.leaseEpoch, entries, at, joinKey };
    const base = await appendEntries(query, journal.logOptions, append);
    return base === undefined ? undefined : { row, base, append };
  });
  if (written === undefined) return undefined;
  const { row, base, append } = written;
  journal.committed(row, append, base);
  const fold = await foldOf(database.query, row);
  const wire = toAgent(request, row.upstreamTaskId, row.upstreamContextId);
  const run = new Run({
    task: { id: row.id, agentId: row.agentId, owner: row.owner },
    fold,
    epoch: row.leaseEpoch,
    journal,
    fallback: isMoving(row.state) ? undefined : row.state,
    upstreamTaskId: row.upstreamTaskId,
    upstreamContextId: row.upstreamContextId,
    cancel: (id, signal) => executor.cancel(reachable, id, { signal }),
    open: (signal) => executor.send(reachable, wire, callOptions(options, signal)),
  });
  return driven(parts, run, startOf(fold, at), request);
}
