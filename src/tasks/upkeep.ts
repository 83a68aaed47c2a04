import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import { compactLogs } from './compaction.ts';
import { removeOldKeys } from './idempotency.ts';

/** Between rounds, and before the first one: a start has other things to do. Milliseconds. */
const EVERY_MS = 10 * 60_000;
const FIRST_MS = 60_000;

export interface UpkeepOptions {
  /** False: rounds only when asked for. */
  readonly automatic: boolean;
  /** How long a task's log is kept entry by entry after its end; 0: for ever. Milliseconds. */
  readonly logRetentionMs: number;
  /** How long the audit log is kept; 0: for ever. Milliseconds. */
  readonly auditRetentionMs: number;
  /** Removes what is older from the audit log; answers how many lines. */
  readonly removeOldAudit: (olderThanMs: number, signal: AbortSignal) => Promise<number>;
}

/** Removes what has had its time: Idempotency-Keys, the single entries of old logs, and old lines of the audit log. */
export class Upkeep {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #options: UpkeepOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(database: Database, log: Logger, options: UpkeepOptions) {
    this.#database = database;
    this.#log = log;
    this.#options = options;
    if (options.automatic) this.#after(FIRST_MS);
  }

  /** One round; resolves when it is done, also when it failed: the next one tries again. */
  round(): Promise<void> {
    this.#round = this.#round.then(() => this.#tidy());
    return this.#round;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#round;
  }

  #after(ms: number): void {
    this.#timer = setTimeout(() => {
      void this.round().then(() => this.#stop.signal.aborted || this.#after(EVERY_MS));
    }, ms);
    this.#timer.unref();
  }

  async #tidy(): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    const { logRetentionMs, auditRetentionMs, removeOldAudit } = this.#options;
    try {
      const keys = await removeOldKeys(this.#database.query, signal);
      const logs = logRetentionMs === 0 ? 0 : await compactLogs(this.#database, logRetentionMs, signal);
      const audit = auditRetentionMs === 0 ? 0 : await removeOldAudit(auditRetentionMs, signal);
      if (keys + logs + audit > 0) this.#log.info({ keys, logs, audit }, 'what had had its time was tidied up');
    } catch (error) {
      this.#log.warn({ err: error }, 'what has had its time could not be tidied up; trying again later');
    }
  }
}
