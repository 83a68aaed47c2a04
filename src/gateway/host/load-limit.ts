import { RollcallError } from '../../errors.ts';

/** Seconds after which a refused caller may try again. */
export const RETRY_AFTER_SECONDS = 1;

/**
 * How many operations run at the same time. Beyond it they are refused at once: a queue would only make all of them
 * late, and its memory has no bound.
 */
export class LoadLimit {
  readonly #most: number;
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws RollcallError OVERLOADED; what the work throws. */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#running >= this.#most) {
      throw new RollcallError(
        'OVERLOADED',
        `The server runs ${this.#running} operations already; try again in ${RETRY_AFTER_SECONDS} s.`,
      );
    }
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
    }
  }
}
