import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import type { Agent as AgentModel } from '../../registry/model.ts';
import type { TaskFilter, TaskRow } from '../../tasks/tasks.ts';
import type { GraphQLContext } from '../context.ts';
import { TaskFilterInput } from '../inputs/task.ts';
import { toTaskFilter } from '../task-views.ts';
import { Agent } from '../types/agent.ts';
import { type ConnectionOf, Count, toConnection, toCount } from '../types/connection.ts';
import { TaskConnection } from '../types/task.ts';

/** A page of tasks that knows what it was asked with: the total is counted only when asked for. */
export interface TaskPage extends ConnectionOf<TaskRow> {
  readonly filter: TaskFilter;
  /** Of this agent's tasks; undefined: of all. */
  readonly agentId?: string;
}

@Resolver(() => TaskConnection)
export class TaskConnectionResolver {
  @FieldResolver(() => Count, { description: 'How many tasks there are on all pages. Counted only when asked for.' })
  async totalCount(
    @Root() { filter, agentId }: TaskPage,
    @Ctx() { core, principal, loaders }: GraphQLContext,
  ): Promise<Count> {
    return toCount(
      await (agentId === undefined
        ? core.tasks.total(principal, filter)
        : loaders.tasksOfAgent.total.load({ agentId, request: filter })),
    );
  }
}

@Resolver(() => Agent)
export class AgentTasksResolver {
  @FieldResolver(() => TaskConnection, {
    nullable: true,
    description:
      "Your tasks with it (everyone's with the scope tasks:admin), newest status first. Null, with an error, for callers without the scope tasks:read.",
  })
  async tasks(
    @Root() agent: AgentModel,
    @Ctx() { loaders }: GraphQLContext,
    @Arg('filter', () => TaskFilterInput, { nullable: true }) given: TaskFilterInput | null,
    @Arg('first', () => Int, { nullable: true, description: 'Items per page, 1 to 200; default 20.' }) first:
      | number
      | null,
    @Arg('after', () => String, { nullable: true, description: 'endCursor of the page before.' }) after: string | null,
  ): Promise<TaskPage> {
    const filter = toTaskFilter(given);
    const page = await loaders.tasksOfAgent.page.load({ agentId: agent.id, request: { ...filter, first, after } });
    return { ...toConnection(page, after), filter, agentId: agent.id };
  }
}
