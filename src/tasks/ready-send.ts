import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StreamEvent } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import { callOptions, type Send } from './send.ts';

/** A send that is made ready while its task is being stored. */
export interface ReadySend {
  /** Lets the message go out, now that the task is stored, and hands on what the agent says. To be called once. */
  events(): AsyncIterable<StreamEvent>;
  /** The message will never go out. */
  drop(): void;
}

const UNSTORED = new Error('The task was not stored.');

/**
 * Makes a send ready, once its task is on its way to the database: its body, its credentials, the check of the address.
 * All of that would otherwise begin after the commit, for which the process has nothing else to do than to wait.
 *
 * @param wire what the agent is told
 * @param stop ends the send
 */
export function readySend(
  { executor, reachable, options }: Pick<Send, 'executor' | 'reachable' | 'options'>,
  wire: SendRequest,
  stop: AbortController,
): ReadySend {
  const call = callOptions(options, stop.signal);
  // Where nothing holds the message back, nothing may begin.
  if (!executor.waits) return { events: () => executor.send(reachable, wire, call), drop: () => undefined };
  let release: () => void = () => undefined;
  const after = new Promise<void>((resolve) => {
    release = resolve;
  });
  const inner = executor.send(reachable, wire, { ...call, after })[Symbol.asyncIterator]();
  // In a turn of its own: the statement that stores the task leaves before, and the database works meanwhile.
  let first: Promise<IteratorResult<StreamEvent>> | undefined = nextTurn().then(() => inner.next());
  // What fails early is told to whoever reads; where the task is not stored, nobody does.
  first.catch(() => undefined);
  return {
    events() {
      release();
      return {
        [Symbol.asyncIterator]: () => ({
          next() {
            const step = first ?? inner.next();
            first = undefined;
            return step;
          },
          async return() {
            await inner.return?.();
            return { done: true, value: undefined };
          },
        }),
      };
    },
    drop() {
      stop.abort(UNSTORED);
      release();
    },
  };
}
