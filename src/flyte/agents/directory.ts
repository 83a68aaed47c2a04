import type { Principal } from '../../auth/principal.ts';
import { unpinMeta } from '../../protocol/flyte/pinned-meta.ts';
import type { FlyteRouteRow } from '../routing/deployments.ts';
import type { FlyteCategory } from '../source.ts';
import type { LocalAgent } from './agent.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { type Engine, EngineAgent } from './engine/agent.ts';
import { isEngineMeta } from './engine/meta.ts';

/** The task engine, and whom Flyte's tasks belong to there. */
export interface EngineAccess {
  readonly engine: Engine;
  readonly principal: Principal;
}

/** Finds the agents whose tasks go to no deployment: those of this process, and those that the task engine drives. */
export class AgentDirectory {
  readonly #registry: AgentRegistry | undefined;
  readonly #access: EngineAccess | undefined;
  readonly #route: (category: FlyteCategory) => FlyteRouteRow | undefined;

  /** @param route the present route of a category */
  constructor(
    registry: AgentRegistry | undefined,
    access: EngineAccess | undefined,
    route: (category: FlyteCategory) => FlyteRouteRow | undefined,
  ) {
    this.#registry = registry;
    this.#access = access;
    this.#route = route;
  }

  /** Who takes a new task of that category: an agent of this process only while the category is its own by the table. */
  forNew(category: FlyteCategory): LocalAgent | undefined {
    const route = this.#route(category);
    if (route === undefined) return undefined;
    const own = this.#ofThisProcess(category);
    if (own?.name === route.agent) return own;
    if (route.engineAgentId === undefined) return undefined;
    return this.#driven(category, route.agent, route.engineAgentId);
  }

  /** Who knows a job. It stays with whoever began it, whatever became of the category and its agent. */
  forJob(category: FlyteCategory, resourceMeta: Buffer): LocalAgent | undefined {
    if (unpinMeta(resourceMeta) !== undefined) return undefined;
    if (isEngineMeta(resourceMeta)) return this.#driven(category, this.#route(category)?.agent ?? category.name, '');
    return this.#ofThisProcess(category);
  }

  #ofThisProcess(category: FlyteCategory): LocalAgent | undefined {
    return this.#registry?.has(category) ? this.#registry.get(category) : undefined;
  }

  /** Whether the agent takes new tasks. One of this process is listed like any other: its status is in the table. */
  isActive(category: FlyteCategory): boolean {
    return this.#route(category)?.active ?? true;
  }

  #driven(category: FlyteCategory, name: string, agentId: string): EngineAgent | undefined {
    return this.#access === undefined ? undefined : new EngineAgent({ ...this.#access, agentId, name, category });
  }
}
