import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import type { Progress } from './progress.ts';

/** A server process that is killed and started again on the same data. */
export class KilledServer {
  readonly #env: Record<string, string>;
  readonly #progress: Progress;
  readonly #processes: ServerProcess[] = [];
  #process: ServerProcess | undefined;
  #url: string | undefined;
  #failure: Error | undefined;
  #stopped = false;
  /** How often it was killed. */
  kills = 0;

  constructor(env: Record<string, string>, progress: Progress) {
    this.#env = env;
    this.#progress = progress;
  }

  start(): void {
    const started = startServerProcess(this.#env);
    this.#process = started;
    this.#processes.push(started);
    this.#url = undefined;
    started.url().then(
      (url) => {
        if (this.#process === started) this.#url = url;
        this.#progress.changed();
      },
      (error: Error) => {
        if (this.#process !== started || this.#stopped) return;
        this.#failure = error;
        this.#progress.changed();
      },
    );
  }

  /** Its address, as soon as it runs, and how often it had been killed when it had that address. */
  async up(): Promise<{ url: string; kills: number }> {
    await this.#progress.until(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return this.#url !== undefined;
    });
    return { url: this.#url!, kills: this.kills };
  }

  /** SIGKILL, and resolves when the process is gone. */
  async kill(): Promise<void> {
    const killed = this.#process!;
    this.#process = undefined;
    this.#url = undefined;
    this.kills++;
    killed.child.kill('SIGKILL');
    await killed.exited;
  }

  /** What all its processes have said on standard error. */
  complaints(): string {
    return this.#processes.map((each) => each.stderr()).join('');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#process?.stop();
  }
}
