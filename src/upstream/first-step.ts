/** What is done about the first step of an iteration. */
export interface FirstStep<T> {
  /** Called at the first step. What it throws, the iteration fails with. */
  begin(): AsyncIterable<T>;
  /** The first step gave something, or the end. */
  came?(): void;
  /** The first step failed. Answers what is iterated instead, or throws what the iteration fails with. */
  failed(error: unknown): AsyncIterable<T>;
}

/**
 * An iteration whose first step is watched. The steps after it go straight to what is iterated: a generator around it
 * would cost every event of a stream as much as the first.
 */
export function watchingFirst<T>({ begin, came, failed }: FirstStep<T>): AsyncIterableIterator<T> {
  let inner: AsyncIterator<T> | undefined;
  const first = async (): Promise<IteratorResult<T>> => {
    inner = begin()[Symbol.asyncIterator]();
    let step: IteratorResult<T>;
    try {
      step = await inner.next();
    } catch (error) {
      inner = failed(error)[Symbol.asyncIterator]();
      return inner.next();
    }
    came?.();
    return step;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => (inner === undefined ? first() : inner.next()),
    async return() {
      await inner?.return?.();
      return { done: true, value: undefined };
    },
  };
}
