import { RollcallError } from '../../errors.ts';

/** Beyond this Node fires a timer at once (2³¹ − 1 ms, some 24 days). */
export const MAX_TIMER_MS = 2_147_483_647;

/**
 * What can end a call before the other side does: its time limit or its caller. Our own timer, because undici's fire up
 * to a second late, and because a request that still waits for a connection does not listen to a signal. Listeners of our
 * own, because a signal and its events for every call cost as much as the rest of it.
 */
export class Deadline {
  readonly #caller: AbortSignal | undefined;
  readonly #onCallerAbort = () => this.abort(this.#caller?.reason);
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<(reason: unknown) => void>();
  #ended: { readonly reason: unknown } | undefined;
  #controller: AbortController | undefined;

  /** @param what begins the message, for instance "https://agent.example did not answer". */
  constructor(timeoutMs: number, what: string, caller: AbortSignal | undefined) {
    this.#caller = caller;
    if (caller?.aborted) this.abort(caller.reason);
    else caller?.addEventListener('abort', this.#onCallerAbort, { once: true });
    this.#timer = setTimeout(
      () => {
        this.abort(new RollcallError('UPSTREAM_TIMEOUT', `${what} within ${timeoutMs} ms.`));
      },
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
  }

  /** Aborts with the error that the call is to fail with. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended.reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    for (const listener of this.#listeners) listener(reason);
    this.#controller?.abort(reason);
  }

  /** @throws the reason of the abort, if there was one. */
  throwIfAborted(): void {
    if (this.#ended !== undefined) throw this.#ended.reason;
  }

  /** Calls `listener` with the reason of an abort that comes later, until the answered function is called. */
  onAbort(listener: (reason: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The promise, or the reason of the abort if that comes first. What the promise does afterwards is ignored. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const off = this.onAbort(reject);
      promise.then(resolve, reject).finally(off);
      if (this.#ended !== undefined) reject(this.#ended.reason as Error);
    });
  }

  /** The time limit no longer counts; the caller's signal still does. */
  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  /** Ends both; to be called once the call is over, or timer and listener stay behind. */
  release(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onCallerAbort);
  }
}
