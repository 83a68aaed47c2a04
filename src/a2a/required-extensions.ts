import { type Principal, SYSTEM } from '../auth/principal.ts';
import { RollcallError } from '../errors.ts';
import type { Events } from '../events/events.ts';
import type { Agent } from '../registry/model.ts';
import type { Registry } from '../registry/registry.ts';
import { isVisible } from '../registry/visibility.ts';

/** How long an agent is taken as it was read, where another replica changed it. Milliseconds. */
const FRESH_MS = 2_000;
const MAX_AGENTS = 5_000;

/** Refuses callers that do not speak the extensions which an agent requires (specification 1.0 §4.6.1). */
export interface RequiredExtensions {
  /**
   * Answers the extensions that are in use between caller and agent: those that one names and the other declares. None for
   * an agent that the caller may not see: the operation itself says that it does not exist.
   *
   * @throws RollcallError EXTENSION_SUPPORT_REQUIRED naming the first extension that the caller did not list.
   */
  check(principal: Principal, agentId: string, spoken: readonly string[]): Promise<readonly string[]>;
  close(): void;
}

/** The agents' requirements are read once and not with every message. */
export function createRequiredExtensions(registry: Registry, events: Events): RequiredExtensions {
  const known = new Map<string, { readonly agent: Promise<Agent>; readonly until: number }>();
  const off = events.on('agent', ({ agentId }) => void known.delete(agentId));

  const agentOf = (id: string): Promise<Agent> => {
    const now = Date.now();
    const present = known.get(id);
    if (present !== undefined && present.until > now) return present.agent;
    if (known.size >= MAX_AGENTS) known.clear();
    const entry = { agent: registry.agent(SYSTEM, id), until: now + FRESH_MS };
    known.set(id, entry);
    entry.agent.catch(() => known.get(id) === entry && known.delete(id));
    return entry.agent;
  };

  return {
    async check(principal, agentId, spoken) {
      const agent = await agentOf(agentId).catch((thrown: unknown) => {
        if (thrown instanceof RollcallError && thrown.code === 'NOT_FOUND') return undefined;
        throw thrown;
      });
      if (agent === undefined || !isVisible(principal, agent)) return [];
      const missing = agent.extensions.find(({ uri, required }) => required === true && !spoken.includes(uri));
      if (missing === undefined) return spoken.filter((uri) => agent.extensions.some((it) => it.uri === uri));
      throw new RollcallError(
        'EXTENSION_SUPPORT_REQUIRED',
        `This agent requires the extension ${missing.uri}: name it in the header A2A-Extensions.`,
        { details: { extension: missing.uri } },
      );
    },
    close: off,
  };
}
