import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Lease } from '../claims.ts';
import { type DrainOptions, drain, type ObservedAttempt } from './drain.ts';
import { type ClaimedConfig, claimDue, endOtherClaims, giveBack, renewClaims } from './queue.ts';
import { Shares } from './shares.ts';

/** How deliveries are shared out. */
export interface PusherOptions extends Omit<DrainOptions, 'observe'> {
  readonly lease: Lease;
  /** Webhooks that are delivered to at the same time. */
  readonly slots: number;
  /** False until the server knows its own address: nothing can be signed before. */
  readonly ready: () => boolean;
  /** See TasksOptions.alone. */
  readonly alone: boolean;
  /** False: nothing is delivered by this process. */
  readonly automatic: boolean;
  readonly log: Logger;
}

/** What part of the slots one receiver may have. */
const SHARE = 1 / 4;

/** A timer that fires a moment early by the clock of the database would find nothing due. */
const CLOCK_MS = 20;

/**
 * Delivers what webhooks have not got. It is woken by whoever adds to a log; and it looks by itself, three times in the
 * length of a lease, for what it was not told of: retries that are due, other replicas' events, what a killed process
 * left. Nothing is kept here that the database does not say.
 */
export class Pusher {
  readonly #options: PusherOptions;
  readonly #drains = new Map<string, Promise<void>>();
  readonly #shares: Shares;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stop = new AbortController();
  readonly #observers = new Set<(attempt: ObservedAttempt) => void>();
  readonly #tickMs: number;
  readonly #tick: NodeJS.Timeout | undefined;
  #inherits: boolean;
  #claiming: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: PusherOptions) {
    this.#options = options;
    this.#shares = new Shares(Math.max(1, Math.floor(options.slots * SHARE)));
    this.#inherits = options.alone;
    this.#tickMs = Math.max(options.lease.ms / 3, 20);
    this.#closed = !options.automatic;
    if (this.#closed) return;
    this.#tick = setInterval(() => void this.#look(), this.#tickMs);
    this.#tick.unref();
    this.wake();
  }

  /** There may be something to deliver. */
  wake(): void {
    this.#again = true;
    if (this.#closed || this.#claiming !== undefined) return;
    this.#claiming = this.#claim()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'push notifications wait for the database'))
      .finally(() => {
        this.#claiming = undefined;
      });
  }

  /** Calls `observer` with every attempt. */
  observe(observer: (attempt: ObservedAttempt) => void): void {
    this.#observers.add(observer);
  }

  /** Ends after the attempts under way, which get `graceMs`; what is left waits for the next start. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    clearInterval(this.#tick);
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#claiming;
    const done = new AbortController();
    const late = delay(graceMs, undefined, { signal: done.signal }).catch(() => undefined);
    const drains = Promise.all(this.#drains.values());
    await Promise.race([drains, late]);
    done.abort();
    this.#stop.abort();
    await drains;
  }

  async #claim(): Promise<void> {
    const { query, lease, slots, ready } = this.#options;
    while (this.#again && !this.#closed && ready()) {
      this.#again = false;
      if (this.#inherits) await endOtherClaims(query, lease);
      this.#inherits = false;
      const free = slots - this.#drains.size;
      // Whoever ends first looks again.
      if (free <= 0) break;
      const claimed = await claimDue(query, lease, free, this.#shares.spent());
      const beyond = claimed.filter((config) => !this.#start(config)).map(({ id }) => id);
      if (beyond.length > 0) await giveBack(query, lease, beyond);
      if (claimed.length === free) this.#again = true;
    }
  }

  /** False when the receiver has its share of the slots: whichever of its deliveries ends first looks again. */
  #start(config: ClaimedConfig): boolean {
    const { log, slots } = this.#options;
    if (!this.#shares.take(config.receiver)) return false;
    const work = drain(
      { ...this.#options, observe: (attempt) => this.#observed(attempt) },
      config,
      this.#stop.signal,
      () => this.#closed,
    )
      .catch((error: unknown) => {
        // The lease ends by itself; by then the database may be back.
        log.warn({ err: error, task: config.taskId, config: config.name }, 'push notifications could not be delivered');
        return undefined;
      })
      .then((next) => {
        const full = this.#drains.size >= slots;
        this.#drains.delete(config.id);
        const spent = this.#shares.release(config.receiver);
        if (next !== undefined) this.#wakeAfter(next);
        if (full || spent) this.wake();
      });
    this.#drains.set(config.id, work);
    return true;
  }

  #observed(attempt: ObservedAttempt): void {
    for (const observer of this.#observers) observer(attempt);
  }

  #wakeAfter(ms: number): void {
    if (ms === 0) {
      this.wake();
      return;
    }
    // The look that comes anyway is near enough for the long pauses.
    if (this.#closed || ms > this.#tickMs) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.wake();
    }, ms + CLOCK_MS);
    timer.unref();
    this.#timers.add(timer);
  }

  async #look(): Promise<void> {
    const { query, lease, log } = this.#options;
    const ids = [...this.#drains.keys()];
    try {
      if (ids.length > 0) await renewClaims(query, lease, ids);
    } catch (error) {
      log.warn({ err: error }, 'push notifications wait for the database');
    }
    this.wake();
  }
}
