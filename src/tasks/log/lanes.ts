import { setTimeout as delay } from 'node:timers/promises';
import { RollcallError, toRollcallError } from '../../errors.ts';

/** How writes are grouped. */
export interface LaneOptions<I = never> {
  /** Batches that run at the same time, each on a connection of its own. */
  readonly lanes: number;
  /** Most items of one batch. */
  readonly batch: number;
  /** Most items that wait in one lane; beyond it, new ones are refused. */
  readonly queue: number;
  /** How long a batch is tried again while the database cannot be reached. Default: not at all. Milliseconds. */
  readonly patienceMs?: number;
  /** Which items are tried again; the others fail at once. Default: all. */
  readonly isPatient?: (item: I) => boolean;
}

const PAUSE_MS = 200;

const behindAFailure = (): RollcallError => new RollcallError('INTERNAL', 'An earlier write of the same task failed.');

interface Waiting<I, O> {
  readonly key: string;
  readonly item: I;
  readonly resolve: (result: O) => void;
  readonly reject: (error: unknown) => void;
}

/** FNV-1a: spreads keys evenly, and a key always falls on the same lane. */
function hash(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/**
 * Group commit: what is added while a lane writes becomes its next batch, one statement and one commit for all. A lone
 * item waits for nobody. Items of one key are written in the order in which they were added.
 *
 * A batch that fails is split until the bad item is alone: its neighbours must not fail with it. What follows a failed
 * item of the same key fails too, as its order could not be kept.
 */
export class Lanes<I, O> {
  readonly #run: (items: readonly I[], again: boolean) => Promise<readonly O[]>;
  readonly #options: LaneOptions<I>;
  readonly #queues: Waiting<I, O>[][];
  readonly #busy: boolean[];
  readonly #due: boolean[];
  #idle: (() => void)[] = [];
  #pending = 0;

  /** @param run writes a batch in one transaction, and answers one result per item; `again`: it may have been written. */
  constructor(run: (items: readonly I[], again: boolean) => Promise<readonly O[]>, options: LaneOptions<I>) {
    this.#run = run;
    this.#options = options;
    this.#queues = Array.from({ length: options.lanes }, () => []);
    this.#busy = this.#queues.map(() => false);
    this.#due = this.#queues.map(() => false);
  }

  /** Writes an item; resolves after the commit. @throws RollcallError RATE_LIMITED when too much waits; what `run` throws. */
  add(key: string, item: I): Promise<O> {
    const lane = hash(key) % this.#options.lanes;
    const queue = this.#queues[lane]!;
    if (queue.length >= this.#options.queue) {
      return Promise.reject(new RollcallError('RATE_LIMITED', 'Too many writes are waiting; try again shortly.'));
    }
    return new Promise<O>((resolve, reject) => {
      this.#pending++;
      queue.push({ key, item, resolve, reject });
      this.#kick(lane);
    });
  }

  /** Resolves when nothing waits and nothing is being written. */
  drained(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #kick(lane: number): void {
    if (this.#busy[lane] || this.#due[lane] || this.#queues[lane]!.length === 0) return;
    this.#due[lane] = true;
    // After the present turn of the event loop, so that requests that arrived together share a batch.
    setImmediate(() => {
      this.#due[lane] = false;
      void this.#flush(lane);
    });
  }

  async #flush(lane: number): Promise<void> {
    const batch = this.#queues[lane]!.splice(0, this.#options.batch);
    this.#busy[lane] = true;
    await this.#write(batch, new Set());
    this.#busy[lane] = false;
    this.#pending -= batch.length;
    this.#kick(lane);
    if (this.#pending === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #write(given: readonly Waiting<I, O>[], failed: Set<string>, written = false): Promise<void> {
    let batch = given.filter((waiting) => {
      if (!failed.has(waiting.key)) return true;
      waiting.reject(behindAFailure());
      return false;
    });
    const fail = (list: readonly Waiting<I, O>[], error: unknown): void => {
      for (const waiting of list) {
        failed.add(waiting.key);
        waiting.reject(error);
        this.#refuseBehind(waiting.key);
      }
    };
    const until = Date.now() + (this.#options.patienceMs ?? 0);
    for (let again = written; batch.length > 0; again = true) {
      try {
        const results = await this.#run(
          batch.map(({ item }) => item),
          again,
        );
        batch.forEach(({ resolve }, i) => {
          resolve(results[i] as O);
        });
        return;
      } catch (error) {
        if (toRollcallError(error).code !== 'DATABASE_UNAVAILABLE') {
          if (batch.length === 1) return fail(batch, error);
          const half = batch.length >> 1;
          await this.#write(batch.slice(0, half), failed, again);
          return this.#write(batch.slice(half), failed, again);
        }
        // Without a database there is no bad item to find.
        const patient = Date.now() < until ? batch.filter(({ item }) => this.#isPatient(item)) : [];
        fail(
          batch.filter((waiting) => !patient.includes(waiting)),
          error,
        );
        batch = patient;
        if (batch.length > 0) await delay(PAUSE_MS);
      }
    }
  }

  /** What waits for a later batch. What is added from now on may know of the failure. */
  #refuseBehind(key: string): void {
    const lane = hash(key) % this.#options.lanes;
    this.#queues[lane] = this.#queues[lane]!.filter((waiting) => {
      if (waiting.key !== key) return true;
      this.#pending--;
      waiting.reject(behindAFailure());
      return false;
    });
  }

  #isPatient(item: I): boolean {
    return this.#options.isPatient?.(item) ?? true;
  }
}
