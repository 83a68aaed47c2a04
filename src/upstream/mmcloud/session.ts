/** Milliseconds. */
export interface SessionTimings {
  /** For so long after it was seen, a session is taken for good without asking. */
  readonly trustMs: number;
  /** After a failed login the next one waits so long: accounts are locked for trying too often. */
  readonly pauseMs: number;
}

export const SESSION_TIMINGS: SessionTimings = { trustMs: 30_000, pauseMs: 5_000 };

/** One look at the session. */
export interface Check {
  /** Rejects when there is none and none can be had. `renewed`: the one before had ended. */
  readonly result: Promise<{ readonly renewed: boolean }>;
}

interface TimedCheck extends Check {
  /** Epoch milliseconds until which its outcome holds; Infinity while it runs. */
  until: number;
}

/** The CLI's session, which all its processes share: one login at a time, however many calls need it. */
export class Session {
  readonly #check: () => Check['result'];
  readonly #timings: SessionTimings;
  readonly #now: () => number;
  #last: TimedCheck | undefined;

  /** @param check makes sure that there is a session. It is nobody's alone, so no caller can cancel it. */
  constructor(check: () => Check['result'], timings: SessionTimings = SESSION_TIMINGS, now: () => number = Date.now) {
    this.#check = check;
    this.#timings = timings;
    this.#now = now;
  }

  /** Joins the check under way, trusts the last one, or begins one. */
  ensure(): Check {
    if (this.#last === undefined || this.#now() >= this.#last.until) this.#last = this.#begin();
    return this.#last;
  }

  /** Forgets this check, unless a later one has taken its place. */
  doubt(check: Check): void {
    if (this.#last === check) this.#last = undefined;
  }

  #begin(): TimedCheck {
    const { trustMs, pauseMs } = this.#timings;
    const check: TimedCheck = { result: this.#check(), until: Number.POSITIVE_INFINITY };
    const holds = (ms: number) => (): void => {
      check.until = this.#now() + ms;
    };
    check.result.then(holds(trustMs), holds(pauseMs));
    return check;
  }
}
