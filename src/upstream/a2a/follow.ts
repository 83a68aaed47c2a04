import { setTimeout as delay } from 'node:timers/promises';
import { RollcallError } from '../../errors.ts';
import { isTerminal, type StreamEvent, type Task, type TaskState } from '../../protocol/a2a/model.ts';
import { isTransient } from './failures.ts';

/** How an agent that does not stream is asked. Milliseconds. */
export interface FollowTiming {
  /** Before the second question; each further pause is longer by `factor`, up to `longest`. */
  readonly first: number;
  readonly factor: number;
  readonly longest: number;
  /** How long an agent may stay unreachable before the task is given up. */
  readonly patience: number;
}

export const DEFAULT_TIMING: FollowTiming = { first: 100, factor: 1.6, longest: 5_000, patience: 10 * 60_000 };

/** A task in this state will not move without its client. A sign-in may happen elsewhere: auth-required is no rest. */
export const isAtRest = (state: TaskState): boolean => isTerminal(state) || state === 'input-required';

/** The state that an event reports, if it does. */
export const stateOf = (event: StreamEvent): TaskState | undefined =>
  event.task?.status.state ?? event.statusUpdate?.status.state;

/** The task that an event is about; a message may be about none. */
export const taskIdOf = (event: StreamEvent): string | undefined =>
  event.task?.id ?? event.statusUpdate?.taskId ?? event.artifactUpdate?.taskId;

/** A pause that is never quite the same: many followers of one agent must not ask in step. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => {
    throw signal.reason;
  });

/**
 * Asks, and asks again while nobody is there, for `patience`.
 *
 * @throws RollcallError UPSTREAM_UNREACHABLE after that, and at once what is no passing failure.
 */
export async function patiently(get: () => Promise<Task>, signal: AbortSignal, timing: FollowTiming): Promise<Task> {
  const until = Date.now() + timing.patience;
  for (let pause = timing.first; ; pause = Math.min(pause * timing.factor, timing.longest)) {
    try {
      return await get();
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      if (Date.now() > until) {
        throw new RollcallError(
          'UPSTREAM_UNREACHABLE',
          `${error.message} It could not be asked about its task for ${Math.round(timing.patience / 1_000)} seconds.`,
          { cause: error },
        );
      }
    }
    await sleep(pause, signal);
  }
}

/**
 * Asks for a task until it rests, and yields every answer: with growing pauses, from the shortest again after a change.
 *
 * @throws as {@link patiently}.
 */
export async function* poll(
  get: () => Promise<Task>,
  signal: AbortSignal,
  timing: FollowTiming,
): AsyncGenerator<StreamEvent> {
  let pause = timing.first;
  let state: TaskState | undefined;
  for (;;) {
    await sleep(pause, signal);
    const task = await patiently(get, signal, timing);
    pause = task.status.state === state ? Math.min(pause * timing.factor, timing.longest) : timing.first;
    state = task.status.state;
    yield { task };
    if (isAtRest(state)) return;
  }
}
