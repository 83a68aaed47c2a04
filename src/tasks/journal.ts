import type { Query } from '../database/drivers.ts';
import type { Feed } from './feed.ts';
import { stateAfter } from './fold.ts';
import { type LaneOptions, Lanes } from './lanes.ts';
import type { LoggedEntry, TaskRow } from './model.ts';
import { type Append, acceptTasks, appendEntries, type NewTask } from './writes.ts';

/** Whose log is written, for the notices about it. */
export type JournalTask = Pick<TaskRow, 'id' | 'agentId' | 'owner' | 'state'>;

/**
 * How long entries wait for a database that is away: an agent's answer is not to be lost, but after the lease it is
 * another replica's. Milliseconds.
 */
const PATIENCE_MS = 20_000;

/**
 * The one way into the logs: writes of concurrent tasks share statements and commits, and what was committed is
 * published afterwards, in order.
 */
export class Journal {
  readonly #feed: Feed;
  readonly #accepts: Lanes<NewTask, boolean>;
  readonly #appends: Lanes<Append, number | undefined>;

  constructor(query: Query, feed: Feed, leaseMs: number, options: LaneOptions) {
    this.#feed = feed;
    this.#accepts = new Lanes((tasks) => acceptTasks(query, tasks), options);
    this.#appends = new Lanes((appends, again) => appendEntries(query, leaseMs, appends, again), {
      ...options,
      patienceMs: PATIENCE_MS,
    });
  }

  /** Writes a new task with its first entry. False: it was not written, as another task has its key. */
  async accept(task: NewTask): Promise<boolean> {
    const made = await this.#accepts.add(task.id, task);
    if (made) {
      const entry: LoggedEntry = { sequence: 1, at: task.at, entry: task.entry };
      this.#feed.committed({ id: task.id, agentId: task.agentId, owner: task.owner, state: 'submitted' }, [entry]);
    }
    return made;
  }

  /**
   * Adds entries to a log. Undefined: refused, as the task has ended or another replica drives it now.
   *
   * @param task with the state from before these entries
   */
  async append(task: JournalTask, append: Omit<Append, 'taskId'>): Promise<readonly LoggedEntry[] | undefined> {
    const base = await this.#appends.add(task.id, { ...append, taskId: task.id });
    return base === undefined ? undefined : this.committed(task, append, base);
  }

  /** Tells of entries that a transaction of its own has committed after `base`. */
  committed(task: JournalTask, append: Omit<Append, 'taskId'>, base: number): readonly LoggedEntry[] {
    const logged = append.entries.map((entry, i) => ({ sequence: base + i + 1, at: append.at, entry }));
    const state = logged.reduce((before, { entry }) => stateAfter(entry) ?? before, task.state);
    this.#feed.committed({ ...task, state }, logged);
    return logged;
  }

  /** Resolves when everything that was given is written or has failed. */
  async drained(): Promise<void> {
    await this.#accepts.drained();
    await this.#appends.drained();
  }
}
