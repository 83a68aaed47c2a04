import { Arg, Ctx, FieldResolver, Resolver, Root, Subscription } from 'type-graphql';
import type { TaskChange as TaskChangeModel } from '../../tasks/tasks.ts';
import type { GraphQLContext } from '../context.ts';
import { TaskFilterInput } from '../inputs/task.ts';
import { toTaskFilter } from '../task-views.ts';
import { Task, TaskChange } from '../types/task.ts';

@Resolver(() => TaskChange)
export class TaskChangeResolver {
  @Subscription(() => TaskChange, {
    description:
      "Each change of state of your tasks (of everyone's with the scope tasks:admin), as it is committed; those of a task in their order. Who reads slowly gets the last change of each task. After a broken connection, give `statusTimestampAfter`.",
    subscribe: ({ context, args }: { context: GraphQLContext; args: { filter?: TaskFilterInput | null } }) =>
      context.core.tasks.watch(context.principal, toTaskFilter(args.filter)) as never,
  })
  tasksChanged(
    @Root() change: TaskChangeModel,
    @Arg('filter', () => TaskFilterInput, { nullable: true }) _filter: TaskFilterInput | null,
  ): TaskChangeModel {
    return change;
  }

  @FieldResolver(() => Task, { nullable: true, description: 'The task as it is now: perhaps in a later state.' })
  async task(@Root() change: TaskChangeModel, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.task.load(change.taskId)) ?? null;
  }
}
