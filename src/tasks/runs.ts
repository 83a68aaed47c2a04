import type { Run } from './run.ts';

/** The runs of this replica, by task. */
export class Runs {
  readonly #runs = new Map<string, Run>();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #onOver: (run: Run) => void;

  /** @param onOver hears of every run that is over. */
  constructor(onOver: (run: Run) => void) {
    this.#onOver = onOver;
  }

  of(taskId: string): Run | undefined {
    return this.#runs.get(taskId);
  }

  all(): readonly Run[] {
    return [...this.#runs.values()];
  }

  /** Keeps a run until it is over. */
  add(run: Run): void {
    const { id } = run.fold.ids;
    this.#runs.set(id, run);
    void run.over.then(() => {
      if (this.#runs.get(id) === run) this.#runs.delete(id);
      this.#onOver(run);
    });
  }

  /** Runs `work` when no other one for the same task is running: who changes its driver must be alone. */
  async inTurn<T>(taskId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(taskId) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    this.#turns.set(taskId, settled);
    void settled.then(() => this.#turns.get(taskId) === settled && this.#turns.delete(taskId));
    return mine;
  }
}
