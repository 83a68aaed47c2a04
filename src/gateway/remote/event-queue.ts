import type { ExecutionResult } from 'graphql';

/**
 * Between a source that pushes and a reader that pulls. Bounded: a reader that stays behind by more than `capacity`
 * events gets those, then the `overflow` error, instead of filling the memory.
 */
export class EventQueue implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #capacity: number;
  readonly #onClose: () => void;
  readonly #events: ExecutionResult[] = [];
  readonly #waiting: {
    resolve: (result: IteratorResult<ExecutionResult, undefined>) => void;
    reject: (thrown: unknown) => void;
  }[] = [];
  #ended: { readonly error?: unknown } | null = null;

  constructor(capacity: number, onClose: () => void) {
    this.#capacity = capacity;
    this.#onClose = onClose;
  }

  /** False when the queue is full or has ended: the source should stop. */
  push(event: ExecutionResult): boolean {
    if (this.#ended !== null) return false;
    const reader = this.#waiting.shift();
    if (reader !== undefined) reader.resolve({ value: event, done: false });
    else if (this.#events.length >= this.#capacity) return false;
    else this.#events.push(event);
    return true;
  }

  /** No more events; what is queued can still be read, then comes the error if there is one. */
  end(outcome: { readonly error?: unknown } = {}): void {
    if (this.#ended !== null) return;
    this.#ended = outcome;
    for (const reader of this.#waiting.splice(0)) {
      if ('error' in outcome) reader.reject(outcome.error);
      else reader.resolve({ value: undefined, done: true });
      this.#ended = {};
    }
    this.#onClose();
  }

  next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#ended === null) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    const ended = this.#ended;
    this.#ended = {};
    return 'error' in ended ? Promise.reject(ended.error) : Promise.resolve({ value: undefined, done: true });
  }

  return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#events.length = 0;
    this.end();
    this.#ended = {};
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
