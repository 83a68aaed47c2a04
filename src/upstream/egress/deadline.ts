import { RollcallError } from '../../errors.ts';

/** Beyond this Node fires a timer at once (2³¹ − 1 ms, some 24 days). */
export const MAX_TIMER_MS = 2_147_483_647;

/**
 * What can end a call before the other side does: its time limit or its caller. Our own timer, because undici's fire up
 * to a second late, and because a request that still waits for a connection does not listen to a signal.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #onCallerAbort = () => this.abort(this.#caller?.reason);
  readonly #timer: NodeJS.Timeout;

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
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The promise, or the reason of the abort if that comes first. What the promise does afterwards is ignored. */
  async race<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#controller;
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
      promise.catch(() => {});
    }
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
