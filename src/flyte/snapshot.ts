import type { FlyteLog } from './source.ts';

/** Milliseconds. */
export interface SnapshotTimings {
  /** Changes within this span cost one read. */
  readonly coalesceMs: number;
  /** A read that takes longer has failed. */
  readonly listTimeoutMs: number;
  /** The pause after the first failed read; doubled after each further one. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** A read without any change event, in case one was lost on its way here. */
  readonly refreshMs: number;
}

export const SNAPSHOT_TIMINGS: SnapshotTimings = {
  coalesceMs: 25,
  listTimeoutMs: 5_000,
  retryMs: 250,
  maxRetryMs: 5_000,
  refreshMs: 30_000,
};

export interface SnapshotOptions<T> {
  /** What is read, for the log: "agents". */
  readonly name: string;
  readonly read: () => Promise<T>;
  /** Subscribes to changes of what `read` gives; the result unsubscribes. */
  readonly onChange: (listener: () => void) => () => void;
  /** Called with each value that was read. */
  readonly onRead: (value: T) => void;
  readonly log: FlyteLog;
  readonly timings: SnapshotTimings;
}

/**
 * The last good value of something slow, in memory. Propeller polls every ten seconds with a timeout of three and
 * forgets all types after one failure: an answer must depend neither on the database nor on any agent.
 */
export class Snapshot<T> {
  readonly #options: SnapshotOptions<T>;
  #value: T | undefined;
  #failures = 0;
  #changed = false;
  #reading = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(options: SnapshotOptions<T>) {
    this.#options = options;
  }

  /** The last good value; undefined until the first read succeeded. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Subscribes, then reads once. Resolves when that read has ended, well or not; failures are retried in the background. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#options.onChange(() => this.#change());
    await this.#read();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#unsubscribe?.();
  }

  #change(): void {
    if (this.#changed) return;
    this.#changed = true;
    // While reads fail, the back-off's timer stands: changes must not turn into a storm on a struggling database.
    if (!this.#reading && this.#failures === 0) this.#schedule(this.#options.timings.coalesceMs);
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(), delayMs);
    this.#timer.unref();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    this.#changed = false;
    const { name, log, onRead } = this.#options;
    try {
      const value = await this.#inTime();
      if (this.#stopped) return;
      this.#value = value;
      this.#failures = 0;
      onRead(value);
    } catch (error) {
      this.#failures += 1;
      log.warn({ err: error, failures: this.#failures }, `Flyte ${name} not renewed; the last good ones are used`);
    } finally {
      this.#reading = false;
      this.#schedule(this.#nextDelay());
    }
  }

  #nextDelay(): number {
    const { coalesceMs, retryMs, maxRetryMs, refreshMs } = this.#options.timings;
    if (this.#failures > 0) return Math.min(maxRetryMs, retryMs * 2 ** (this.#failures - 1));
    return this.#changed ? coalesceMs : refreshMs;
  }

  async #inTime(): Promise<T> {
    const { read, timings } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no answer within ${timings.listTimeoutMs} ms`)),
        timings.listTimeoutMs,
      );
    });
    try {
      return await Promise.race([read(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
