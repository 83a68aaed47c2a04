/** One for all: an abort without a reason makes an error with a stack, for every stream that ends. */
const CLOSED = new DOMException('The stream is closed.', 'AbortError');

/**
 * A generator that can be closed while it waits. `return()` of a plain one is only heard at its next `yield`: a stream
 * whose reader has gone would listen on until the next event.
 *
 * @param open makes the generator; it must end soon after the signal aborts
 * @param outer signals that end it too
 */
export function closable<T>(
  open: (signal: AbortSignal) => AsyncGenerator<T>,
  ...outer: readonly (AbortSignal | undefined)[]
): AsyncGenerator<T> {
  const closed = new AbortController();
  const signals = outer.filter((signal) => signal !== undefined);
  const inner = open(AbortSignal.any([closed.signal, ...signals]));
  return {
    next: () => inner.next(),
    return: (value) => {
      closed.abort(CLOSED);
      return inner.return(value);
    },
    throw: (error) => {
      closed.abort(CLOSED);
      return inner.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return(undefined);
    },
  };
}
