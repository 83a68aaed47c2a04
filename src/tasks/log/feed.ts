import type { Events } from '../../events/events.ts';
import type { TaskState } from '../../protocol/a2a/model.ts';
import { stateAfter } from '../fold.ts';
import type { LoggedEntry, TaskRow } from '../model.ts';

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

  /**
   * To be called after the commit, in the order of the commits of a task.
   *
   * @param before the state that the entries found; null for a task that they begin
   */
  committed(
    task: Pick<TaskRow, 'id' | 'agentId' | 'owner' | 'contextId'>,
    before: TaskState | null,
    entries: readonly LoggedEntry[],
  ): void {
    const newest = entries.at(-1)?.sequence;
    if (newest === undefined) return;
    for (const listener of this.#listeners.get(task.id) ?? []) listener.entries(entries);
    const of = { taskId: task.id, agentId: task.agentId, owner: task.owner };
    let state = before;
    for (const { sequence, at, entry } of entries) {
      const to = stateAfter(entry);
      if (to === undefined || to === state) continue;
      const { contextId } = task;
      this.#events.publish('taskState', { ...of, contextId, from: state, to, sequence, at: at.toISOString() });
      state = to;
    }
    const notice = { ...of, state: state ?? 'unknown', sequence: newest };
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
