import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { newId } from '../../database/ids.ts';
import { invalid } from '../../errors.ts';
import type { Part, TaskState } from '../../protocol/a2a/model.ts';
import type { GraphQLContext } from '../context.ts';
import { plain } from '../inputs/plain.ts';
import { CancelTaskInput, SendMessageInput, TaskFilterInput } from '../inputs/task.ts';
import { toTaskEvent } from '../task-views.ts';
import { Agent } from '../types/agent.ts';
import { toConnection } from '../types/connection.ts';
import { Artifact, Message, SendMessageResult, Task, TaskConnection, TaskEvent } from '../types/task.ts';

function partsOf(input: SendMessageInput): Part[] {
  const { text, parts } = input;
  if ((text == null) === (parts == null)) throw invalid('input.text', 'give either text or parts');
  if (text != null) return [{ text }];
  return parts!.map((part, i) => {
    const given = plain(part) as Part;
    const contents = ['text', 'raw', 'url', 'data'].filter(
      (member) => member in given && given[member as keyof Part] !== null,
    );
    if (contents.length !== 1) throw invalid(`input.parts[${i}]`, 'give exactly one of text, raw, url and data');
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as unknown as Part;
  });
}

@Resolver(() => Task)
export class TaskResolver {
  @Query(() => Task, { nullable: true, description: 'One task; null when there is none that you may see.' })
  async task(@Ctx() { loaders }: GraphQLContext, @Arg('id', () => ID) id: string) {
    return (await loaders.task.load(id)) ?? null;
  }

  @Query(() => TaskConnection, {
    description: "Your tasks (everyone's with the scope tasks:admin), newest status first.",
  })
  async tasks(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('filter', () => TaskFilterInput, { nullable: true }) filter: TaskFilterInput | null,
    @Arg('first', () => Int, { nullable: true, description: 'Items per page, 1 to 200; default 20.' }) first:
      | number
      | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ) {
    const { items, hasNextPage } = await core.tasks.list(principal, {
      ...filter,
      states: filter?.states as TaskState[] | null,
      first,
      after,
    });
    return toConnection({ items: items.map(({ row, cursor }) => ({ item: row, cursor })), hasNextPage }, after);
  }

  @Mutation(() => SendMessageResult, {
    description: 'Sends a message to an agent. It is stored before anything else: an acknowledged task is never lost.',
  })
  async sendMessage(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => SendMessageInput) input: SendMessageInput,
  ) {
    const sent = await core.tasks.send(principal, input.agentId, {
      message: {
        messageId: input.messageId ?? newId(),
        role: 'user',
        parts: partsOf(input),
        ...(input.contextId == null ? {} : { contextId: input.contextId }),
        ...(input.taskId == null ? {} : { taskId: input.taskId }),
      },
      configuration: { returnImmediately: input.wait === false },
      ...(input.metadata == null ? {} : { metadata: input.metadata as Record<string, unknown> }),
    });
    const { message } = await sent.answer();
    return { taskId: sent.taskId, message: message ?? null };
  }

  @Mutation(() => Task, { description: 'Cancels a task. TASK_NOT_CANCELABLE when it has ended.' })
  async cancelTask(
    @Ctx() { core, principal, loaders }: GraphQLContext,
    @Arg('input', () => CancelTaskInput) input: CancelTaskInput,
  ) {
    await core.tasks.cancel(principal, input.id);
    return (await loaders.task.load(input.id)) ?? null;
  }

  @FieldResolver(() => Agent, {
    nullable: true,
    description: 'The agent at work; null when it was deleted, or you may not see it any more.',
  })
  async agent(@Root() task: { agentId: string }, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.agent.load(task.agentId)) ?? null;
  }

  @FieldResolver(() => [Message], { description: 'Its messages, oldest first.' })
  async history(
    @Root() task: { id: string },
    @Ctx() { loaders }: GraphQLContext,
    @Arg('last', () => Int, { nullable: true, description: 'The most recent ones only.' }) last: number | null,
  ) {
    const { history = [] } = (await loaders.taskContents.load(task.id)) ?? {};
    return last == null ? history : last > 0 ? history.slice(-last) : [];
  }

  @FieldResolver(() => [Artifact])
  async artifacts(@Root() task: { id: string }, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.taskContents.load(task.id))?.artifacts ?? [];
  }
}

@Resolver(() => SendMessageResult)
export class SendMessageResultResolver {
  @FieldResolver(() => Task)
  task(@Root() result: { taskId: string }, @Ctx() { loaders }: GraphQLContext) {
    return loaders.task.load(result.taskId);
  }
}

@Resolver(() => TaskEvent)
export class TaskEventResolver {
  @Subscription(() => TaskEvent, {
    description:
      'The events of a task, live, until it ends. Without `after` it begins with a snapshot; with it, right after that sequence: nothing is missed and nothing comes twice.',
    subscribe: async ({
      context,
      args,
    }: {
      context: GraphQLContext;
      args: { taskId: string; after?: number | null };
    }) => {
      const { core, principal } = context;
      return (await core.tasks.subscribe(
        principal,
        args.taskId,
        args.after == null ? {} : { after: args.after },
      )) as never;
    },
  })
  taskEvents(
    @Root() item: Parameters<typeof toTaskEvent>[1],
    @Arg('taskId', () => ID) taskId: string,
    @Arg('after', () => Int, { nullable: true, description: 'The last sequence that you have.' }) _after: number | null,
  ) {
    return toTaskEvent(taskId, item);
  }

  @FieldResolver(() => Task, { nullable: true, description: 'The task as it is now.' })
  async task(@Root() event: { taskId: string }, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.task.load(event.taskId)) ?? null;
  }
}
