import type { Principal } from '../auth/principal.ts';
import type { Events } from '../events/events.ts';
import type { Registry } from '../registry/registry.ts';
import type { FlyteAgentRow, FlyteSource } from './source.ts';

/** Agents per read. */
const PAGE = 200;

/**
 * What Flyte is told, from the registry: every agent that the principal sees, that is not inactive and has task
 * categories.
 */
export function registrySource(registry: Registry, events: Events, principal: Principal): FlyteSource {
  return {
    async list() {
      const rows: FlyteAgentRow[] = [];
      let after: string | null = null;
      do {
        const page = await registry.listAgents(principal, {
          filter: { status: ['active', 'deprecated'], hasTaskCategories: true },
          first: PAGE,
          after,
        });
        const agents = page.items.map(({ item }) => item);
        const categories = await registry.taskCategoriesOfAgents(agents.map((agent) => agent.id));
        agents.forEach((agent, i) => {
          if (agent.flyteName !== null)
            rows.push({ name: agent.flyteName, isSync: agent.isSync, categories: categories[i] ?? [] });
        });
        after = page.hasNextPage ? (page.items.at(-1)?.cursor ?? null) : null;
      } while (after !== null);
      return rows;
    },
    onChange: (listener) => events.on('agent', listener),
  };
}
