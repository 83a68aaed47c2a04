/** How a process that keeps ending is started again. */
export interface RestartPolicy {
  /** Ends within `windowMs` after which it is started again at once. */
  readonly atOnce: number;
  readonly windowMs: number;
  /** The first pause; each further end within the window doubles it. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
}

export const RESTARTS: RestartPolicy = { atOnce: 3, windowMs: 30_000, pauseMs: 250, longestPauseMs: 10_000 };

/**
 * Counts the ends of a process, so that whoever can make it end cannot keep the machine busy with starting it. Says how
 * many milliseconds to wait before the next start; `now` is a monotonic time in milliseconds.
 */
export class Restarts {
  readonly #policy: RestartPolicy;
  #ends: number[] = [];

  constructor(policy: RestartPolicy) {
    this.#policy = policy;
  }

  ended(now: number): number {
    const { atOnce, windowMs, pauseMs, longestPauseMs } = this.#policy;
    this.#ends = this.#ends.filter((end) => now - end < windowMs);
    this.#ends.push(now);
    const over = this.#ends.length - atOnce;
    return over <= 0 ? 0 : Math.min(longestPauseMs, pauseMs * 2 ** (over - 1));
  }
}
