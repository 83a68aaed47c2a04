import type { Logger } from 'pino';

export type Stop = () => Promise<void>;

/** What was started, and how it is stopped: doors together, so that their patience does not add up; then what they stand on, the last built first. */
export class Stops {
  readonly #log: Logger;
  readonly #doors: Stop[] = [];
  readonly #foundations: Stop[] = [];
  #all: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  door(stop: Stop): void {
    this.#doors.push(stop);
  }

  foundation(...stops: Stop[]): void {
    this.#foundations.push(...stops);
  }

  /** Never rejects: what does not stop cleanly is logged. Further calls give the first one's promise. */
  all(): Promise<void> {
    this.#all ??= this.#stop();
    return this.#all;
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#doors.map((stop) => this.#end(stop)));
    for (const stop of this.#foundations.toReversed()) await this.#end(stop);
  }

  #end(stop: Stop): Promise<void> {
    return stop().catch((error: unknown) => this.#log.error({ err: error }, 'a part did not stop cleanly'));
  }
}
