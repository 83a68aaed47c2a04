import type { Principal } from '../auth/principal.ts';
import { type FlyteAgent, isDriven, listedAgents } from '../registry/flyte/catalog.ts';
import type { Registry } from '../registry/registry.ts';
import type { Changes } from './registry-changes.ts';
import type { DeploymentSource, FlyteDeployment, FlyteRouteRow } from './routing/deployments.ts';
import type { FlyteAgentRow, FlyteSource } from './source.ts';

/**
 * What Flyte is told, from the registry: every agent that the principal sees, that is not inactive and has task
 * categories.
 */
export function registrySource(registry: Registry, onChange: Changes, principal: Principal): FlyteSource {
  return {
    list: async () =>
      listedAgents(await registry.flyteAgents(principal)).map(
        ({ name, isSync, categories }): FlyteAgentRow => ({ name, isSync, categories }),
      ),
    onChange,
  };
}

/**
 * Where Flyte's tasks go, from the registry: every agent that the principal sees. Inactive ones and those without a task
 * category are among them: their running tasks go on.
 */
export function registryDeployments(registry: Registry, onChange: Changes, principal: Principal): DeploymentSource {
  return {
    list: async () => (await registry.flyteAgents(principal)).map(toRoute),
    onChange,
  };
}

const toRoute = (agent: FlyteAgent): FlyteRouteRow => ({
  ...(isDriven(agent) ? { engineAgentId: agent.id } : {}),
  ...routeOf(agent),
});

const routeOf = ({ id, flyteName, handle, isSync, status, categories, deployments }: FlyteAgent): FlyteRouteRow => ({
  agent: flyteName ?? handle,
  agentId: id,
  isSync,
  active: status !== 'inactive',
  categories,
  deployments: deployments.map(
    ({ id, endpoint, tls, generation, weight, draining, timeouts }): FlyteDeployment => ({
      id,
      address: endpoint,
      tls,
      generation,
      weight,
      draining,
      // How it is, is found out by probes and calls and kept in memory.
      healthy: true,
      timeoutsMs: timeouts,
    }),
  ),
});
