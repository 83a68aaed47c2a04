import type { ExecutionResult } from 'graphql';
import type { MaybePromise } from './engine.ts';

/**
 * Maps the events of a stream, one at a time and only when the consumer asks for the next. Unlike an async generator,
 * `return()` takes effect at once, also while the source is silent: a client that leaves must not keep its upstream
 * subscription until the next event. Aborting the signal ends the stream the same way.
 */
export function mapEvents(
  source: AsyncIterable<ExecutionResult>,
  map: (event: ExecutionResult) => MaybePromise<ExecutionResult>,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<ExecutionResult, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const over: IteratorReturnResult<undefined> = { value: undefined, done: true };
  let ended = false;
  let stop: () => void = () => {};
  const stopped = new Promise<IteratorReturnResult<undefined>>((resolve) => {
    stop = () => resolve(over);
  });

  async function end(): Promise<IteratorReturnResult<undefined>> {
    if (!ended) {
      ended = true;
      signal?.removeEventListener('abort', onAbort);
      stop();
      await iterator.return?.();
    }
    return over;
  }
  // The consumer learns of the end from `next`; a source that fails while it is being closed has nobody to tell.
  const onAbort = () => void end().catch(() => {});
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });

  async function advance(): Promise<IteratorResult<ExecutionResult, undefined>> {
    try {
      const next = await iterator.next();
      if (ended) return over;
      if (next.done) {
        ended = true;
        signal?.removeEventListener('abort', onAbort);
        return over;
      }
      return { value: await map(next.value), done: false };
    } catch (thrown) {
      if (ended) return over;
      // Not `end`: it would tell the reader of the end before it learns of the failure.
      ended = true;
      signal?.removeEventListener('abort', onAbort);
      await iterator.return?.().catch(() => {});
      throw thrown;
    }
  }

  return {
    next: () => (ended ? Promise.resolve(over) : Promise.race([advance(), stopped])),
    return: end,
    throw: async (thrown) => {
      await end();
      throw thrown;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
