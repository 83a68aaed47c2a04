import type { Events, Topics } from './events.ts';

/** Messages that wait for a slow reader. Past it the oldest are dropped: who must not miss any reads the database. */
const MOST_WAITING = 10_000;

/**
 * The messages of a topic from this moment on, as an async iterable for one reader. It listens at once, not at the first
 * `next()`, so that nothing is missed in between; `return()` ends it.
 */
export function listen<T extends keyof Topics & string>(
  events: Events,
  topic: T,
  wanted: (message: Topics[T]) => boolean = () => true,
): AsyncIterableIterator<Topics[T]> {
  const waiting: Topics[T][] = [];
  let reader: ((result: IteratorResult<Topics[T]>) => void) | undefined;
  let ended = false;
  const stop = events.on(topic, (message) => {
    if (!wanted(message)) return;
    if (reader !== undefined) {
      const deliver = reader;
      reader = undefined;
      deliver({ value: message, done: false });
      return;
    }
    if (waiting.length >= MOST_WAITING) waiting.shift();
    waiting.push(message);
  });
  const end = (): IteratorResult<Topics[T]> => {
    ended = true;
    stop();
    waiting.length = 0;
    reader?.({ value: undefined, done: true });
    reader = undefined;
    return { value: undefined, done: true };
  };
  return {
    next: () => {
      const message = waiting.shift();
      if (message !== undefined) return Promise.resolve({ value: message, done: false });
      if (ended) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve) => {
        reader = resolve;
      });
    },
    return: () => Promise.resolve(end()),
    throw: (error) => {
      end();
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
