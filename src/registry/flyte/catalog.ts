import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { nameOf } from '../../database/statement-names.ts';
import { Values } from '../../database/values.ts';
import { inListingOrder } from '../../protocol/flyte/listing-order.ts';
import { taskCategoriesOfAgents } from '../agents/read.ts';
import type { Agent, Deployment, TaskCategory } from '../model.ts';
import { requireScope, visibleSql } from '../visibility.ts';
import { deploymentsOfAgents } from './read-deployments.ts';

/** An agent as far as Flyte goes. */
export interface FlyteAgent
  extends Pick<Agent, 'id' | 'handle' | 'flyteName' | 'isSync' | 'status' | 'executionType' | 'owner' | 'visibility'> {
  readonly categories: readonly TaskCategory[];
  readonly deployments: readonly Deployment[];
}

/**
 * Every agent that the caller sees and that has to do with Flyte, in whatever status: it has task categories, or is of
 * the execution type flyte. Three statements, whatever their number: Flyte's services keep the answer in memory.
 *
 * @throws RollcallError UNAUTHENTICATED, FORBIDDEN.
 */
export async function flyteAgents(query: Query, principal: Principal): Promise<FlyteAgent[]> {
  requireScope(principal, 'registry:read');
  const values = new Values();
  const text = `select a.id, a.handle, a.flyte_name as "flyteName", a.is_sync as "isSync", a.status,
      a.execution_type as "executionType", a.owner, a.visibility from agent a
    where a.deleted_at is null and ${visibleSql(principal, 'a', values)}
      and (a.execution_type = 'flyte' or exists (select 1 from task_category c where c.agent = a.id))
    order by a.id`;
  const agents = await query<Omit<FlyteAgent, 'categories' | 'deployments'>>(text, values.list, nameOf(text));
  const ids = agents.map(({ id }) => id);
  const categories = await taskCategoriesOfAgents(query, ids);
  const deployments = await deploymentsOfAgents(query, ids);
  return agents.map((agent, i) => ({
    ...agent,
    categories: categories[i]!.map(({ name, version }) => ({ name, version })),
    deployments: deployments[i]!,
  }));
}

/** An agent that ListAgents names. */
export type ListedAgent = FlyteAgent & { readonly name: string };

/** Execution types that are not reached by messages: their tasks need a deployment, or an agent of this process. */
const NOT_DRIVEN: ReadonlySet<string> = new Set(['flyte', 'mmcloud']);

/** Whether the task engine takes an agent's Flyte tasks: it has no deployment, and is reached by messages. */
export const isDriven = ({ deployments, isSync, executionType }: FlyteAgent): boolean =>
  deployments.length === 0 && !isSync && !NOT_DRIVEN.has(executionType);

/** Whether new tasks of this generation find an agent: a deployment of its own, or by messages. */
export const takesNewTasks = (agent: FlyteAgent, generation: 1 | 2): boolean =>
  (generation === 1 && isDriven(agent)) ||
  agent.deployments.some((d) => d.generation === generation && !d.draining && d.weight > 0);

/** The agents that Flyte is told of, in the order in which it is. Inactive ones are left out. */
export const listedAgents = (agents: readonly FlyteAgent[]): ListedAgent[] =>
  inListingOrder(
    agents.flatMap((agent) =>
      agent.flyteName === null || agent.categories.length === 0 || agent.status === 'inactive'
        ? []
        : [{ ...agent, name: agent.flyteName }],
    ),
  );
