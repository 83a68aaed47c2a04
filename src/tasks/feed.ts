import type { Events } from '../events/events.ts';
import type { LoggedEntry, TaskRow } from './model.ts';

/** Who hears of a task. */
export interface Listener {
  /** Entries that this replica committed, in order. */
  entries(entries: readonly LoggedEntry[]): void;
  /** Someone committed up to this sequence: the log has it. */
  reached(sequence: number): void;
}

/**
 * Tells what was committed: everyone by a notice on `events`, the listeners of this replica with the entries themselves,
 * so that a live stream needs no read per event.
 */
export class Feed {
  readonly #events: Events;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(events: Events) {
    this.#events = events;
  }

  /** To be called after the commit, in the order of the commits of a task. */
  committed(task: Pick<TaskRow, 'id' | 'agentId' | 'owner' | 'state'>, entries: readonly LoggedEntry[]): void {
    const sequence = entries.at(-1)?.sequence;
    if (sequence === undefined) return;
    for (const listener of this.#listeners.get(task.id) ?? []) listener.entries(entries);
    const notice = { taskId: task.id, agentId: task.agentId, owner: task.owner, state: task.state, sequence };
    this.#events.publish(`task:${task.id}`, notice);
    this.#events.publish('task', notice);
  }

  /** Calls `listener` until the answered function is called. */
  listen(taskId: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(taskId) ?? new Set();
    this.#listeners.set(taskId, listeners.add(listener));
    const off = this.#events.on(`task:${taskId}`, ({ sequence }) => listener.reached(sequence));
    return () => {
      off();
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(taskId) === listeners) this.#listeners.delete(taskId);
    };
  }
}
