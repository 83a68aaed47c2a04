import type { Query } from '../database/drivers.ts';
import { isInterrupted, type Message, type StreamEvent, type Task } from '../protocol/a2a/model.ts';
import type { ReachableAgent } from '../registry/registry.ts';
import type { AgentExecutor } from '../upstream/executor.ts';
import type { TaskFold } from './fold.ts';
import type { TaskRow } from './model.ts';
import { logAfter } from './reads.ts';
import { toAgent } from './send-request.ts';

/**
 * The message that a task was continued with, when nothing of the agent came after it: whoever drove the task may have
 * died before it was sent.
 */
export async function unansweredMessage(query: Query, row: TaskRow): Promise<Message | undefined> {
  const [last] = row.lastSequence > 1 ? await logAfter(query, row.id, row.lastSequence - 1, 1) : [];
  if (last?.entry.kind !== 'message' || last.entry.message.role !== 'user') return undefined;
  return last.entry.message;
}

/** What {@link resumeAnswered} goes on with. */
export interface Unanswered {
  readonly query: Query;
  readonly executor: AgentExecutor;
  readonly reachable: ReachableAgent;
  readonly row: TaskRow;
  readonly upstreamTaskId: string;
  readonly fold: TaskFold;
  readonly message: Message;
}

/**
 * Follows a task whose last message may have been lost. An agent that still waits as it did before, and does not show
 * the message in its history, has not taken it: it is sent again where that does no harm. Otherwise the task waits again,
 * marked `OUTCOME_UNKNOWN`, and saying the message once more sends it instead of joining what was lost.
 */
export async function* resumeAnswered(unanswered: Unanswered, signal: AbortSignal): AsyncGenerator<StreamEvent> {
  const { query, executor, reachable, row, upstreamTaskId, fold, message } = unanswered;
  let first = true;
  for await (const event of executor.resubscribe(reachable, upstreamTaskId, { signal })) {
    if (first && event.task !== undefined && !hasTaken(event.task, message, fold)) {
      if (reachable.agent.retrySafe) {
        const request = toAgent({ message }, upstreamTaskId, row.upstreamContextId);
        yield* executor.send(reachable, request, { signal });
        return;
      }
      await query('update task set join_key = null where id = $1 and lease_epoch = $2', [row.id, row.leaseEpoch]);
      const { status } = event.task;
      yield { statusUpdate: { taskId: upstreamTaskId, status, metadata: { errorCode: 'OUTCOME_UNKNOWN' } } };
      return;
    }
    first = false;
    yield event;
  }
}

/** Whether an agent has moved on since, asks something new, or shows the message. */
function hasTaken({ status, history }: Task, message: Message, fold: TaskFold): boolean {
  if (!isInterrupted(status.state)) return true;
  if (status.message !== undefined && !fold.knows(status.message.messageId)) return true;
  return history?.some(({ messageId }) => messageId === message.messageId) ?? false;
}
