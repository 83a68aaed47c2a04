import type { Principal } from '../../auth/principal.ts';
import type { RecordedTasks } from '../../tasks/tasks.ts';
import type { FlyteLog } from '../source.ts';

/** Jobs that are remembered as asked for. */
const MOST = 50_000;

/** Tells the task engine which jobs are asked for, so that it need not ask: seldom, and of all of them at once. */
export class Heard {
  readonly #recorded: RecordedTasks;
  readonly #principal: Principal;
  readonly #log: FlyteLog;
  /** When each was told of last, by ref. */
  #told = new Map<string, number>();
  #due = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> = Promise.resolve();

  constructor(recorded: RecordedTasks, principal: Principal, log: FlyteLog) {
    this.#recorded = recorded;
    this.#principal = principal;
    this.#log = log;
  }

  add(ref: string): void {
    const now = Date.now();
    if (now - (this.#told.get(ref) ?? 0) < this.#recorded.silenceMs / 4) return;
    // To forget it all costs one write per job.
    if (this.#told.size >= MOST) this.#told.clear();
    this.#told.set(ref, now);
    this.#due.add(ref);
  }

  start(): void {
    this.#timer = setInterval(() => void this.#tell(), Math.min(this.#recorded.silenceMs / 10, 5_000));
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#tell();
  }

  #tell(): Promise<void> {
    const refs = [...this.#due];
    if (refs.length === 0) return this.#telling;
    this.#due = new Set();
    this.#telling = this.#telling.then(async () => {
      // What is lost of it costs a poll too many.
      await this.#recorded
        .heard(this.#principal, refs)
        .catch((error: unknown) => this.#log.warn({ err: error }, 'jobs that were asked for could not be noted'));
    });
    return this.#telling;
  }
}
