import type { Principal } from '../auth/principal.ts';
import { type Config, misconfigured } from '../config.ts';
import { RollcallError } from '../errors.ts';
import type { LocalAgent } from '../flyte/agents/agent.ts';
import { AgentRegistry } from '../flyte/agents/agent-registry.ts';
import { announceAgent } from '../flyte/agents/announce.ts';
import { loadAgents } from '../flyte/agents/load.ts';
import type { Registry } from '../registry/registry.ts';

/**
 * The Flyte agents that run inside this process: those of the modules of FLYTE_AGENTS, and those that the caller gives.
 * Undefined when there are none.
 *
 * @throws RollcallError INVALID_INPUT naming FLYTE_AGENTS and the module that is wrong.
 */
export async function localFlyteAgents(
  { FLYTE_AGENTS }: Config,
  given: readonly LocalAgent[] = [],
): Promise<AgentRegistry | undefined> {
  const modules = await Promise.all(FLYTE_AGENTS.map(loadAgents));
  const all = [...given, ...modules.flat()];
  if (all.length === 0) return undefined;
  const agents = new AgentRegistry();
  try {
    for (const agent of all) agents.register(agent);
  } catch (error) {
    throw misconfigured('FLYTE_AGENTS', (error as Error).message);
  }
  return agents;
}

/** Registers the agents of this process. @throws RollcallError INVALID_INPUT naming the agent that cannot be. */
export async function announceAgents(registry: Registry, owner: Principal, agents: AgentRegistry): Promise<void> {
  for (const agent of agents.all()) {
    try {
      await announceAgent(registry, owner, agent);
    } catch (error) {
      if (!(error instanceof RollcallError) || error.code === 'DATABASE_UNAVAILABLE') throw error;
      throw misconfigured('FLYTE_AGENTS', `${agent.name} cannot be registered: ${error.message}`);
    }
  }
}
