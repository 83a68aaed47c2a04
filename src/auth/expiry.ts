import { RollcallError } from '../errors.ts';
import type { Principal } from './principal.ts';

const SECOND_MS = 1_000;
const LONGEST_WAIT_MS = 3_600 * SECOND_MS;

/**
 * How long to wait before looking at the clock again. Node keeps a list for each different delay, of timers that were
 * called off too, until the delay has passed: with delays to the millisecond, one for each short stream, for as long as
 * its token would have lasted.
 */
const waitOf = (left: number): number =>
  left > SECOND_MS ? Math.min(Math.floor(left / SECOND_MS) * SECOND_MS, LONGEST_WAIT_MS) : left;

/** What a reader is told whose token ended while it read. */
export const tokenExpired = (): RollcallError =>
  new RollcallError('UNAUTHENTICATED', 'The token has expired; get a new one and continue from where you are.');

/** Calls `work` when the caller's token is not accepted any more; answers what calls it off. */
export function atExpiry({ expiresAt }: Principal, work: () => void): () => void {
  if (expiresAt === undefined) return () => undefined;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = expiresAt - Date.now();
    if (left <= 0) work();
    else timer = setTimeout(wait, waitOf(left)).unref();
  };
  timer = setTimeout(wait, 0).unref();
  return () => clearTimeout(timer);
}

/** What a wait answers that the token did not outlive. */
export const EXPIRED: unique symbol = Symbol('expired');

/** Ends the waits of one reader when their token ends. */
export class Expiry {
  readonly #callOff: () => void;
  #over = false;
  /** Of the wait at this moment. A promise that lasted as long as the token would keep every wait there ever was. */
  #end: () => void = () => undefined;

  constructor(principal: Principal) {
    this.#callOff = atExpiry(principal, () => {
      this.#over = true;
      this.#end();
    });
  }

  /** What is waited for, or {@link EXPIRED}. One wait at a time. */
  async outlived<T>(step: Promise<T>): Promise<T | typeof EXPIRED> {
    const first = await new Promise<T | typeof EXPIRED>((resolve, reject) => {
      this.#end = () => resolve(EXPIRED);
      step.then(resolve, reject);
      if (this.#over) this.#end();
    });
    this.#end = () => undefined;
    return this.#over ? EXPIRED : first;
  }

  callOff(): void {
    this.#callOff();
  }
}
