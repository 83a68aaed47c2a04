import { setTimeout as delay } from 'node:timers/promises';
import { toRollcallError } from '../../errors.ts';
import type { FlyteLog } from '../source.ts';

const PAUSE_MS = 1_000;
const STOP_MS = 2_000;
/** Writes that wait for a database that is away; beyond it tasks go unrecorded. */
const MOST_WAITING = 10_000;

/** A write that is tried until the database takes it. */
export interface Write<T> {
  /** What the first try answers; undefined when it failed. */
  readonly first: Promise<T | undefined>;
  /** What it came to; undefined when it was given up. Never rejects. */
  readonly result: Promise<T | undefined>;
}

/** Writes whose callers do not wait: Flyte's tasks run whether the database does or not. */
export class Writes {
  readonly #log: FlyteLog;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<Promise<unknown>>();

  constructor(log: FlyteLog) {
    this.#log = log;
  }

  /** Does it now, and again while the database cannot be reached. */
  begin<T>(work: () => Promise<T>): Write<T> {
    const first = Promise.withResolvers<T | undefined>();
    const result = this.#until(work, () => first.resolve(undefined));
    void result.then(first.resolve);
    this.#waiting.add(result);
    void result.then(() => this.#waiting.delete(result));
    return { first: first.promise, result };
  }

  /** Tries no more; resolves when what is under way has ended, or has had its time. */
  async stop(): Promise<void> {
    this.#closing.abort();
    const over = new AbortController();
    const late = delay(STOP_MS, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.#waiting), late]);
    over.abort();
  }

  async #until<T>(work: () => Promise<T>, onFailure: () => void): Promise<T | undefined> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        onFailure();
        const passes = toRollcallError(error).code === 'DATABASE_UNAVAILABLE';
        if (!passes || this.#closing.signal.aborted || this.#waiting.size > MOST_WAITING) {
          this.#log.warn({ err: error }, 'a task of Flyte could not be recorded');
          return undefined;
        }
        await delay(PAUSE_MS, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
      }
    }
  }
}
