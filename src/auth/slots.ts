import { RollcallError } from '../errors.ts';
import type { Principal } from './principal.ts';

/** Seconds after which a refused caller may look whether something of theirs has ended. */
const RETRY_AFTER_SECONDS = 5;

/** How many things of one kind each caller may have open at the same time. */
export class Slots {
  readonly #what: string;
  readonly #most: number;
  readonly #setting: string;
  /** Only callers with something open are in it, so what is open bounds its size. */
  readonly #open = new Map<string, number>();

  /** @param most 0 for any number. */
  constructor(what: string, most: number, setting: string) {
    this.#what = what;
    this.#most = most;
    this.#setting = setting;
  }

  /**
   * Takes a place; answers what gives it back, once however often it is called.
   *
   * @param principal whose door is told of a refusal
   *
   * @throws RollcallError RATE_LIMITED with `limit`, `maximum` and `retryAfterSeconds` when the caller has no place left.
   */
  hold(caller: string, principal?: Principal): () => void {
    if (this.#most === 0) return () => undefined;
    const open = this.#open.get(caller) ?? 0;
    if (open >= this.#most) {
      principal?.origin?.denied?.(principal, { code: 'RATE_LIMITED', operation: this.#what });
      throw new RollcallError(
        'RATE_LIMITED',
        `You have ${open} ${this.#what} open, the most there may be (${this.#setting}); end some, then try again.`,
        { details: { limit: this.#what, maximum: this.#most, retryAfterSeconds: RETRY_AFTER_SECONDS } },
      );
    }
    this.#open.set(caller, open + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = this.#open.get(caller)! - 1;
      if (left === 0) this.#open.delete(caller);
      else this.#open.set(caller, left);
    };
  }
}
