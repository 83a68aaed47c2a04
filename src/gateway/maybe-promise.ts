import type { MaybePromise } from './engine.ts';

export const isPromise = <T>(value: MaybePromise<T>): value is Promise<T> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';

/**
 * Runs `start`, then `ok` with its outcome or `bad` with what it threw. Stays synchronous when `start` does: an
 * in-process operation without asynchronous resolvers costs no turn of the event loop.
 */
export function settle<T, R>(
  start: () => MaybePromise<T>,
  ok: (value: T) => R,
  bad: (thrown: unknown) => R,
): MaybePromise<R> {
  let value: MaybePromise<T>;
  try {
    value = start();
  } catch (thrown) {
    return bad(thrown);
  }
  return isPromise(value) ? value.then(ok, bad) : ok(value);
}
