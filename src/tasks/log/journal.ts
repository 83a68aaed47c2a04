import type { Query } from '../../database/drivers.ts';
import type { LoggedEntry, TaskRow } from '../model.ts';
import type { NewTask } from './accept.ts';
import type { Append } from './append.ts';
import type { Feed } from './feed.ts';
import { type LaneOptions, Lanes } from './lanes.ts';
import { type LogOptions, type LogWrite, type LogWritten, writeLog } from './statement.ts';

/** Whose log is written, for the notices about it. */
export type JournalTask = Pick<TaskRow, 'id' | 'agentId' | 'owner' | 'contextId' | 'state'> &
  Partial<Pick<TaskRow, 'push'>>;

/**
 * How much of a lease entries wait for a database that is away: an agent's answer is not to be lost, but after the lease
 * it is another replica's.
 */
const PATIENCE = 2 / 3;

/**
 * The one way into the logs: writes of concurrent tasks share statements and commits, those that begin with those that go
 * on, and what was committed is published afterwards, in order.
 */
export class Journal {
  /** How logs are written, for a transaction that writes one itself. */
  readonly logOptions: LogOptions;
  readonly #feed: Feed;
  readonly #lanes: Lanes<LogWrite, LogWritten>;

  constructor(query: Query, feed: Feed, log: LogOptions, options: Pick<LaneOptions, 'lanes' | 'batch' | 'queue'>) {
    this.#feed = feed;
    this.logOptions = log;
    this.#lanes = new Lanes((writes, again) => writeLog(query, log, writes, again), {
      ...options,
      patienceMs: log.leaseMs * PATIENCE,
      // Whoever sends a message is told at once that there is no database; what an agent said cannot be asked for again.
      isPatient: ({ append }) => append !== undefined,
    });
  }

  /** Writes a new task with its first entry. False: it was not written, as another task has its key. */
  async accept(task: NewTask): Promise<boolean> {
    const made = (await this.#lanes.add(task.id, { accept: task })) === true;
    if (made) {
      const entry: LoggedEntry = { sequence: 1, at: task.at, entry: task.entry };
      this.#feed.committed(task, null, [entry]);
      if (task.push !== undefined) this.logOptions.onPush();
    }
    return made;
  }

  /**
   * Adds entries to a log. Undefined: refused, as the task has ended or another replica drives it now.
   *
   * @param task with the state from before these entries
   */
  async append(task: JournalTask, append: Omit<Append, 'taskId'>): Promise<readonly LoggedEntry[] | undefined> {
    const base = await this.#lanes.add(task.id, { append: { ...append, taskId: task.id } });
    return typeof base === 'number' ? this.committed(task, append, base) : undefined;
  }

  /** Tells of entries that a transaction of its own has committed after `base`. */
  committed(task: JournalTask, append: Omit<Append, 'taskId'>, base: number): readonly LoggedEntry[] {
    const logged = append.entries.map((entry, i) => ({ sequence: base + i + 1, at: append.at, entry }));
    this.#feed.committed(task, task.state, logged);
    if (task.push) this.logOptions.onPush();
    return logged;
  }

  /** Resolves when everything that was given is written or has failed. */
  drained(): Promise<void> {
    return this.#lanes.drained();
  }
}
