import type { Events, TaskStateNotice } from '../events/events.ts';
import type { TaskState } from '../protocol/a2a/model.ts';
import type { ChangeBuffer, TaskChange } from './change-buffer.ts';
import type { ChangeFilter } from './filter.ts';

interface Watcher {
  readonly filter: ChangeFilter;
  readonly buffer: ChangeBuffer;
}

/** Watchers of everyone's tasks stand under this. */
const EVERYONE = '*';

/**
 * Hands changes of state to those who watch: it listens once however many they are, and looks only at the watchers of
 * the task's owner.
 */
export class Watchers {
  readonly #byOwner = new Map<string, Set<Watcher>>();
  readonly #off: () => void;

  constructor(events: Events) {
    this.#off = events.on('taskState', (notice) => this.#tell(notice));
  }

  /** Fills the buffer with what passes the filter, until the answered function is called. */
  add(filter: ChangeFilter, buffer: ChangeBuffer): () => void {
    const key = filter.owner ?? EVERYONE;
    const watcher = { filter, buffer };
    const watchers = this.#byOwner.get(key) ?? new Set();
    this.#byOwner.set(key, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#byOwner.get(key) === watchers) this.#byOwner.delete(key);
    };
  }

  /** How many watch. */
  get size(): number {
    let size = 0;
    for (const watchers of this.#byOwner.values()) size += watchers.size;
    return size;
  }

  close(): void {
    this.#off();
  }

  #tell(notice: TaskStateNotice): void {
    let change: TaskChange | undefined;
    for (const key of [notice.owner, EVERYONE]) {
      for (const { filter, buffer } of this.#byOwner.get(key) ?? []) {
        if (!filter.matches(notice)) continue;
        change ??= toChange(notice);
        buffer.add(change);
      }
    }
  }
}

const toChange = (notice: TaskStateNotice): TaskChange => ({
  ...notice,
  from: notice.from as TaskState | null,
  to: notice.to as TaskState,
  at: new Date(notice.at),
  merged: false,
});
