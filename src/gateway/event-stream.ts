import type { ExecutionResult } from 'graphql';
import type { MaybePromise } from './engine.ts';

const OVER: IteratorReturnResult<undefined> = { value: undefined, done: true };

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
  let ended = false;
  let stop: () => void = () => {};
  const stopped = new Promise<IteratorReturnResult<undefined>>((resolve) => {
    stop = () => resolve(OVER);
  });

  async function end(): Promise<IteratorReturnResult<undefined>> {
    if (!ended) {
      ended = true;
      signal?.removeEventListener('abort', onAbort);
      stop();
      await iterator.return?.();
    }
    return OVER;
  }
  // The consumer learns of the end from `next`; a source that fails while it is being closed has nobody to tell.
  const onAbort = () => void end().catch(() => {});
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });

  async function advance(): Promise<IteratorResult<ExecutionResult, undefined>> {
    try {
      const next = await iterator.next();
      if (ended) return OVER;
      if (next.done) {
        ended = true;
        signal?.removeEventListener('abort', onAbort);
        return OVER;
      }
      return { value: await map(next.value), done: false };
    } catch (thrown) {
      if (ended) return OVER;
      // Not `end`: it would tell the reader of the end before it learns of the failure.
      ended = true;
      signal?.removeEventListener('abort', onAbort);
      await iterator.return?.().catch(() => {});
      throw thrown;
    }
  }

  return {
    next: () => (ended ? Promise.resolve(OVER) : Promise.race([advance(), stopped])),
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

/** The same stream. `end` is called once: when the stream is over, has failed or was closed. */
export function whenEnded(
  stream: AsyncIterable<ExecutionResult>,
  end: () => void,
): AsyncIterableIterator<ExecutionResult> {
  const source = stream[Symbol.asyncIterator]();
  let open = true;
  const close = (): void => {
    if (open) end();
    open = false;
  };
  const last = async (step: Promise<IteratorResult<ExecutionResult>>): Promise<IteratorResult<ExecutionResult>> => {
    try {
      return await step;
    } finally {
      close();
    }
  };
  return {
    async next() {
      try {
        const step = await source.next();
        if (step.done === true) close();
        return step;
      } catch (thrown) {
        close();
        throw thrown;
      }
    },
    return: () => last(source.return?.() ?? Promise.resolve(OVER)),
    throw: (thrown: unknown) => last(source.throw?.(thrown) ?? Promise.reject(thrown)),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
