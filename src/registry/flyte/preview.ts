import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { propellerRegistry } from '../../protocol/flyte/propeller-registry.ts';
import type { TaskCategory } from '../model.ts';
import { flyteAgents, listedAgents, takesNewTasks } from './catalog.ts';
import { type FlyteWarning, warningsOf } from './preview-warnings.ts';

/** Flyte's door, as far as a preview must know it. */
export interface FlyteStanding {
  /** Whether the port is open. */
  readonly open: boolean;
  /** Who Flyte's services act as; undefined while nobody is named. */
  readonly principal: Principal | undefined;
  /** Whether an agent inside this process takes the tasks of a category. */
  serves(category: TaskCategory): boolean;
}

/** A task category as propeller 1.x has it after a poll. */
export interface PreviewCategory extends TaskCategory {
  /** It remembers this version of the name. Others go to its default agent, as async. */
  readonly kept: boolean;
  /** How it calls it. */
  readonly calledAs: 'sync' | 'async';
  /** A new task would find who takes it. */
  readonly takesTasks: boolean;
}

/** An agent of a ListAgents answer. */
export interface PreviewAgent {
  readonly agentId: string;
  readonly name: string;
  readonly isSync: boolean;
  /** The deprecated form: names alone. */
  readonly supportedTaskTypes: readonly string[];
  readonly categories: readonly PreviewCategory[];
}

/** What propeller 1.x is told and makes of it. */
export interface FlytePreview {
  readonly open: boolean;
  /** In the order of the answer. */
  readonly agents: readonly PreviewAgent[];
  readonly warnings: readonly FlyteWarning[];
}

/**
 * What FlytePropeller 1.x sees, as far as the caller sees the agents too: what it remembers is worked out from all of
 * them.
 *
 * @throws RollcallError UNAUTHENTICATED, FORBIDDEN.
 */
export async function flytePreview(query: Query, caller: Principal, standing: FlyteStanding): Promise<FlytePreview> {
  const mine = await flyteAgents(query, caller);
  const visible = new Set(mine.map(({ id }) => id));
  const all = standing.principal === undefined ? [] : await flyteAgents(query, standing.principal);
  const listed = listedAgents(all);
  const kept = propellerRegistry(listed);
  const calledAs = ({ name, version }: TaskCategory): PreviewCategory['calledAs'] => {
    const entry = kept.get(name);
    return entry?.version === version && entry.agent.isSync ? 'sync' : 'async';
  };
  const agents = listed
    .filter(({ id }) => visible.has(id))
    .map(
      (agent): PreviewAgent => ({
        agentId: agent.id,
        name: agent.name,
        isSync: agent.isSync,
        supportedTaskTypes: [...new Set(agent.categories.map(({ name }) => name))],
        categories: agent.categories.map((category) => ({
          ...category,
          kept: kept.get(category.name)?.version === category.version,
          calledAs: calledAs(category),
          takesTasks: standing.serves(category) || takesNewTasks(agent, 1),
        })),
      }),
    );
  return { open: standing.open, agents, warnings: warningsOf({ mine, all, listed, agents, standing }) };
}
