import type { Query } from '../database/drivers.ts';
import { RollcallError } from '../errors.ts';
import type { Message, SendResult, Task, TaskState } from '../protocol/a2a/model.ts';
import type { SendConfiguration } from '../protocol/a2a/requests.ts';
import { closable } from './closable.ts';
import { firstWord } from './first-word.ts';
import { type TaskFold, type TaskIds, withHistory } from './fold.ts';
import type { Feed } from './log/feed.ts';
import type { TaskStreamItem } from './model.ts';
import { foldOf, taskById } from './reads.ts';
import type { Run } from './run.ts';
import { isResting } from './states.ts';
import { followLog } from './stream.ts';

/** A send that was accepted: it is stored, and its work goes on whether anyone waits or not. */
export interface SentTask {
  readonly taskId: string;
  readonly contextId: string;
  /** True when this send was a repetition, and joined the work of the first one (DESIGN §3.3). */
  readonly joined: boolean;
  /**
   * What a unary send answers: the message, if the agent gives one; else the task, once it is terminal or waits for
   * someone, or at once with `returnImmediately`.
   *
   * @throws RollcallError SHUTTING_DOWN when the server stops while this waits; the signal's reason on abort.
   */
  answer(signal?: AbortSignal): Promise<SendResult>;
  /**
   * What a streaming send answers: exactly one item of kind `result` when the agent gives a message; else a snapshot of
   * the task as this send left it, and what follows. It ends after a terminal state, or when the signal aborts; whether
   * to close earlier (A2A: at input-required) is up to the face.
   */
  events(signal?: AbortSignal): AsyncGenerator<TaskStreamItem>;
}

/** A task as a send left it. Nothing of the answer is in it, unless the send joined work that was there. */
export interface SendStart {
  readonly task: Task;
  readonly sequence: number;
  readonly state: TaskState;
  readonly at: Date;
  /** The message that the agent has answered with instead of a task. */
  readonly result?: Message | undefined;
}

/** How a {@link SentTask} is made. */
export interface SentTaskOptions {
  readonly query: Query;
  readonly feed: Feed;
  readonly ids: TaskIds;
  readonly configuration: SendConfiguration | undefined;
  readonly start: SendStart;
  /** The run that drives it, when this replica does. */
  readonly run: Run | undefined;
  readonly joined: boolean;
  /** Aborts when the server stops. */
  readonly closing: AbortSignal;
}

const NEVER = new AbortController().signal;

/** The start of a send from a fold that equals the log. */
export function startOf(fold: TaskFold, at: Date): SendStart {
  const task = fold.snapshot();
  const result = fold.resultKind === 'message' ? task.status.message : undefined;
  return { task, sequence: fold.sequence, state: fold.state, at, result };
}

export function sentTask(options: SentTaskOptions): SentTask {
  const { query, feed, ids, configuration, start, run, closing } = options;
  const follow = (signal: AbortSignal): AsyncGenerator<TaskStreamItem> =>
    followLog(query, feed, {
      ids,
      after: start.sequence,
      state: start.state,
      // The fold runs ahead of the log: nothing has come since.
      upToDate: run?.fold.sequence === start.sequence,
      signal,
    });

  const resultOf = (fold: TaskFold): SendResult => {
    const task = fold.snapshot(configuration?.historyLength);
    const { message } = task.status;
    return fold.resultKind === 'message' && message !== undefined ? { message } : { task };
  };

  const stored = async (): Promise<TaskFold> => {
    const row = await taskById(query, ids.id);
    if (row === undefined) throw new RollcallError('TASK_NOT_FOUND', `Task ${ids.id} was removed.`);
    return foldOf(query, row);
  };

  async function* eventsUntil(ended: AbortSignal): AsyncGenerator<TaskStreamItem> {
    const { task, sequence, state, at, result } = start;
    if (result !== undefined) {
      yield { sequence, kind: 'result', event: { message: result }, at, state };
      return;
    }
    const items = follow(ended);
    try {
      const next = items.next();
      // Whoever reads on hears of a failure; nobody may be there to do so.
      next.catch(() => undefined);
      // The agent's first word says whether there is a task at all.
      const first = state === 'submitted' ? await firstWord({ query, taskId: ids.id, run, next }) : undefined;
      if (first?.done === false && first.value.kind === 'result') {
        yield first.value;
        return;
      }
      if (ended.aborted) return;
      yield { sequence, kind: 'snapshot', event: { task }, at, state };
      const following = await next;
      if (following.done) return;
      yield following.value;
      yield* items;
    } finally {
      await items.return(undefined);
    }
  }

  return {
    taskId: ids.id,
    contextId: ids.contextId,
    joined: options.joined,
    async answer(signal = NEVER) {
      if (start.result !== undefined) return { message: start.result };
      if (configuration?.returnImmediately) return { task: withHistory(start.task, configuration.historyLength) };
      if (run !== undefined) {
        await abortable(run.resting, signal);
        if (!run.stale && isResting(run.fold.state)) return resultOf(run.fold);
      }
      // Somebody else drives it, or the run was stopped.
      if (!isResting(start.state)) {
        for await (const item of follow(AbortSignal.any([signal, closing]))) if (isResting(item.state)) break;
      }
      signal.throwIfAborted();
      const fold = await stored();
      if (!isResting(fold.state) && closing.aborted) {
        throw new RollcallError('SHUTTING_DOWN', `The server is stopping; task ${ids.id} goes on, ask for it again.`);
      }
      return resultOf(fold);
    },
    events: (signal) => closable(eventsUntil, signal, closing),
  };
}

function abortable(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal === NEVER) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void promise.then(resolve).finally(() => signal.removeEventListener('abort', stop));
  });
}
