interface Flight {
  readonly result: Promise<Buffer>;
  readonly controller: AbortController;
  waiting: number;
  /** When it succeeded. */
  doneAt: number | undefined;
}

/**
 * Runs each keyed piece of work once: callers with the same key join the run that is under way, and for `keepMs` after
 * its success get its result. A failure is not kept. The work is cancelled when its last caller is.
 */
export class Once {
  readonly #flights = new Map<string, Flight>();
  readonly #keepMs: number;
  readonly #maxEntries: number;
  readonly #now: () => number;

  constructor(keepMs: number, maxEntries: number, now: () => number = Date.now) {
    this.#keepMs = keepMs;
    this.#maxEntries = maxEntries;
    this.#now = now;
  }

  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<Buffer>): Promise<Buffer> {
    signal.throwIfAborted();
    const flight = this.#current(key) ?? this.#begin(key, work);
    flight.waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.result, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      flight.waiting -= 1;
      if (flight.waiting === 0 && flight.doneAt === undefined) {
        flight.controller.abort();
        this.#drop(key, flight);
      }
    }
  }

  #current(key: string): Flight | undefined {
    const flight = this.#flights.get(key);
    if (flight?.doneAt === undefined || this.#now() - flight.doneAt <= this.#keepMs) return flight;
    this.#flights.delete(key);
    return undefined;
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<Buffer>): Flight {
    const controller = new AbortController();
    const flight: Flight = { result: work(controller.signal), controller, waiting: 0, doneAt: undefined };
    this.#flights.set(key, flight);
    flight.result.then(
      () => {
        flight.doneAt = this.#now();
      },
      () => this.#drop(key, flight),
    );
    for (const [oldest, { doneAt }] of this.#flights) {
      if (this.#flights.size <= this.#maxEntries) break;
      if (doneAt !== undefined) this.#flights.delete(oldest);
    }
    return flight;
  }

  #drop(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
