import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command, Notice, Work } from './agent-protocol.ts';
import type { Progress } from './progress.ts';

/** An agent in a process of its own, which outlives the servers that call it. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #notices: Notice[] = [];
  readonly #progress: Progress;
  #errors = '';

  private constructor(child: ChildProcess, progress: Progress) {
    this.#child = child;
    this.#progress = progress;
    child.on('message', (notice) => {
      this.#notices.push(notice as Notice);
      progress.changed();
    });
    child.on('exit', () => progress.changed());
    child.stderr?.on('data', (text: Buffer) => {
      this.#errors += text.toString();
    });
  }

  /** @param file of this folder */
  static async start(file: string, progress: Progress): Promise<AgentProcess> {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), { execArgv: [], silent: true });
    const agent = new AgentProcess(child, progress);
    await progress.until(() => agent.#alive() && agent.all('ready').length > 0);
    return agent;
  }

  /** Ends in "/". */
  get url(): string {
    return this.all('ready')[0]!.url;
  }

  /** Everything of this type that it has told, oldest first. */
  all<T extends Notice['type']>(type: T): Extract<Notice, { type: T }>[] {
    return this.#notices.filter((notice) => notice.type === type) as Extract<Notice, { type: T }>[];
  }

  tell(command: Command): void {
    this.#child.send(command);
  }

  /** What it has done so far, by message. */
  async work(): Promise<Readonly<Record<string, Work>>> {
    const before = this.all('report').length;
    this.tell({ type: 'report' });
    await this.#progress.until(() => this.#alive() && this.all('report').length > before);
    return this.all('report')[before]!.work;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #alive(): boolean {
    if (this.#child.exitCode === null && this.#child.signalCode === null) return true;
    throw new Error(`An agent's process ended: ${this.#errors}`);
  }
}
