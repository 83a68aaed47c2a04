import { randomUUID } from 'node:crypto';
import { AgentProcess } from './agent-process.ts';
import type { Order } from './agent-protocol.ts';
import { type Agents, register } from './agents.ts';
import { type ClientName, follow } from './clients.ts';
import { hasEnded, type Journal } from './journal.ts';
import { KilledServer } from './killed-server.ts';
import { Progress } from './progress.ts';
import { Random } from './random.ts';

/** One run: a server to kill, agents that survive it, and clients that keep journals. */
export class Run {
  readonly random: Random;
  readonly progress = new Progress();
  readonly journals: Journal[] = [];
  readonly server: KilledServer;
  paced!: AgentProcess;
  silent!: AgentProcess;
  agents!: Agents;
  /** What is being waited for. */
  doing = 'start';
  readonly #cleanups: (() => Promise<void>)[] = [];
  readonly #following: Promise<void>[] = [];
  #failure: unknown;

  constructor(seed: number, env: Record<string, string>) {
    this.random = new Random(seed);
    this.server = new KilledServer(env, this.progress);
    this.#cleanups.push(() => this.server.stop());
  }

  async start(): Promise<void> {
    this.server.start();
    this.paced = await AgentProcess.start('paced-agent.ts', this.progress);
    this.#cleanups.push(() => this.paced.stop());
    this.silent = await AgentProcess.start('silent-agent.ts', this.progress);
    this.#cleanups.push(() => this.silent.stop());
    this.agents = await register((await this.server.up()).url, this.paced, this.silent);
  }

  /** Starts a client; it goes on by itself. */
  client(client: ClientName, agentId: string, order: Order | undefined, retrySafe = false): Journal {
    const messageId = randomUUID();
    const text = order === undefined ? 'hello' : JSON.stringify(order);
    const fresh = { taskId: undefined, entries: [], written: 0, returns: 0 };
    const journal: Journal = { client, agentId, messageId, text, order, retrySafe, ...fresh };
    this.journals.push(journal);
    const following = follow(this.server, client, journal, this.progress);
    following.catch((error: unknown) => {
      this.#failure ??= error;
      this.progress.changed();
    });
    this.#following.push(following);
    return journal;
  }

  /** As Progress.until, but ends with the first client that failed. */
  until(holds: () => boolean): Promise<void> {
    return this.progress.until(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return holds();
    });
  }

  /** Some more events of all clients together. */
  async events(count: number): Promise<void> {
    const seen = (): number => this.journals.reduce((sum, { entries }) => sum + entries.length, 0);
    const goal = seen() + count;
    await this.until(() => seen() >= goal);
  }

  /** A few clients, half of them with a graph's early acknowledgement, on an agent that comes in two kinds. */
  wave([unsafe, safe]: readonly [string, string], order: Order | undefined): Journal[] {
    return (['raw 1.0', 'graph', 'raw 0.3', 'graph', 'raw 1.0', 'graph'] as const).map((client, i) =>
      this.client(client, i % 4 < 2 ? unsafe : safe, order, i % 4 >= 2),
    );
  }

  async finished(): Promise<void> {
    await Promise.all(this.#following);
  }

  /** What is still to come, for whoever waits in vain. */
  describe(): string {
    const open = this.journals.filter((journal) => !hasEnded(journal));
    const lines = open.map(
      ({ client, taskId, entries, written, returns }) =>
        `${client}, task ${taskId}: ${entries.length} events, ${written} sends, ${returns} returns`,
    );
    return `kills: ${this.server.kills}, now: ${this.doing}\n${lines.join('\n')}\n${this.server.complaints()}`;
  }

  /** Ends every process of it. */
  async stop(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }
}
