import type { TaskState } from '../protocol/a2a/model.ts';

/** A task came into another state. */
export interface TaskChange {
  readonly taskId: string;
  readonly agentId: string;
  readonly contextId: string;
  readonly owner: string;
  /** Null: the task began; or, where changes were merged, it is not known any more. */
  readonly from: TaskState | null;
  readonly to: TaskState;
  /** The entry of the task's log that did it. Later changes of a task have higher ones. */
  readonly sequence: number;
  readonly at: Date;
  /** True when this stands for several changes, of which only the last is told. */
  readonly merged: boolean;
}

/** Changes that wait one by one. */
export const MOST_WAITING = 256;
/** Tasks whose last change waits, beyond those. */
export const MOST_TASKS = 1_000;

/**
 * What one reader has not taken yet, in bounded memory and without losing where any task ended up: beyond
 * {@link MOST_WAITING} changes it keeps the last one of each task, and beyond {@link MOST_TASKS} tasks only the moment
 * from which on the database has to be asked.
 */
export class ChangeBuffer {
  #waiting: TaskChange[] = [];
  readonly #last = new Map<string, TaskChange>();
  #missedSince: Date | undefined;
  #resolve: () => void = () => undefined;

  add(change: TaskChange): void {
    const earlier = this.#last.get(change.taskId);
    if (earlier !== undefined) this.#last.set(change.taskId, { ...change, from: earlier.from, merged: true });
    else if (this.#missedSince !== undefined) {
      if (change.at < this.#missedSince) this.#missedSince = change.at;
    } else if (this.#last.size === 0 && this.#waiting.length < MOST_WAITING) this.#waiting.push(change);
    else if (this.#last.size < MOST_TASKS) this.#last.set(change.taskId, change);
    else this.#missedSince = change.at;
    this.wake();
  }

  /** The oldest change, taken out; undefined when none is kept. What the database is to be asked for is left out. */
  take(): TaskChange | undefined {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (this.#missedSince === undefined || next.at < this.#missedSince) return next;
    }
    return undefined;
  }

  #next(): TaskChange | undefined {
    const next = this.#waiting.shift() ?? this.#last.values().next().value;
    if (next !== undefined && this.#last.get(next.taskId) === next) this.#last.delete(next.taskId);
    return next;
  }

  /** Once nothing is kept: since when changes were left out. From here on they are kept again. */
  takeMissed(): Date | undefined {
    const since = this.#missedSince;
    this.#missedSince = undefined;
    return since;
  }

  /** Drops what a reader knows already: changes up to these sequences. */
  forget(known: ReadonlyMap<string, number>): void {
    const isNews = ({ taskId, sequence }: TaskChange): boolean => sequence > (known.get(taskId) ?? 0);
    this.#waiting = this.#waiting.filter(isNews);
    for (const change of this.#last.values()) if (!isNews(change)) this.#last.delete(change.taskId);
  }

  /** For a reader that found nothing: resolves at the next change, or with {@link wake}. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  wake(): void {
    this.#resolve();
    this.#resolve = () => undefined;
  }
}
