import type { Logger } from 'pino';
import { type Principal, SYSTEM } from '../auth/principal.ts';
import { RollcallError } from '../errors.ts';
import type { Events } from '../events/events.ts';
import { takesNoWork } from '../registry/access.ts';
import type { ReachableAgent, Registry } from '../registry/registry.ts';
import { isVisible, requireScope } from '../registry/visibility.ts';

/** How long an agent is taken as it was read, where another replica changed it. Milliseconds. */
const FRESH_MS = 2_000;
const MAX_AGENTS = 5_000;

/** The agents that are being called, with their credentials: read once, not with every message. */
export class CalledAgents {
  readonly #registry: Registry;
  readonly #known = new Map<string, { readonly agent: Promise<ReachableAgent>; readonly until: number }>();
  readonly #off: () => void;
  readonly #log: Logger;
  /** Deprecated agents that the log was told of: once is enough. */
  readonly #warned = new Set<string>();

  constructor(registry: Registry, events: Events, log: Logger) {
    this.#log = log;
    this.#registry = registry;
    this.#off = events.on('agent', ({ agentId }) => void this.#known.delete(agentId));
  }

  /** The agent, whoever asks. @throws RollcallError NOT_FOUND when it is not there or was deleted. */
  get(id: string): Promise<ReachableAgent> {
    const now = Date.now();
    const present = this.#known.get(id);
    if (present !== undefined && present.until > now) return present.agent;
    if (this.#known.size >= MAX_AGENTS) this.#known.clear();
    const entry = { agent: this.#registry.reachable(SYSTEM, id), until: now + FRESH_MS };
    this.#known.set(id, entry);
    entry.agent.catch(() => this.#known.get(id) === entry && this.#known.delete(id));
    return entry.agent;
  }

  /**
   * The agent, for a caller who wants to send to it.
   *
   * @throws RollcallError NOT_FOUND when there is none that the caller may see; AGENT_INACTIVE.
   */
  async forSender(principal: Principal, id: string): Promise<ReachableAgent> {
    requireScope(principal, 'tasks:send');
    const found = await this.get(id.toLowerCase());
    const { agent } = found;
    if (!isVisible(principal, agent)) {
      throw new RollcallError('NOT_FOUND', `There is no agent ${JSON.stringify(id)} that you may see.`);
    }
    if (agent.status === 'deprecated' && !this.#warned.has(agent.id)) {
      this.#warned.add(agent.id);
      this.#log.warn({ agent: agent.handle }, 'messages go to an agent that is deprecated');
    }
    const refusal = takesNoWork(agent);
    if (refusal !== undefined) throw refusal;
    return found;
  }

  close(): void {
    this.#off();
  }
}
