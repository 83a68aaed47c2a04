import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { newId } from '../../database/ids.ts';
import { invalid } from '../../errors.ts';
import type { Part, Task as TaskContents } from '../../protocol/a2a/model.ts';
import type { GraphQLContext } from '../context.ts';
import { CancelTaskInput, SendMessageInput, TaskFilterInput } from '../inputs/task.ts';
import { asOfSnapshot, type ShownTask, toTaskEvent, toTaskFilter } from '../task-views.ts';
import { Agent } from '../types/agent.ts';
import { toConnection } from '../types/connection.ts';
import { Artifact, Message, SendMessageResult, Task, TaskConnection, TaskEvent } from '../types/task.ts';
import type { TaskPage } from './task-lists.ts';

const CONTENTS: ReadonlySet<string> = new Set(['text', 'raw', 'url', 'data']);

function partsOf(input: SendMessageInput): Part[] {
  const { text, parts } = input;
  if ((text == null) === (parts == null)) throw invalid('input.text', 'give either text or parts');
  if (text != null) return [{ text }];
  return parts!.map((part, i) => {
    const given = Object.entries(part).filter(([, value]) => value != null);
    const contents = given.filter(([name]) => CONTENTS.has(name));
    // JSON's null is a value that data may have.
    if (contents.length === 0 && part.data === null) return { ...Object.fromEntries(given), data: null };
    if (contents.length !== 1) throw invalid(`input.parts[${i}]`, 'give exactly one of text, raw, url and data');
    return Object.fromEntries(given) as unknown as Part;
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
    @Arg('filter', () => TaskFilterInput, { nullable: true }) given: TaskFilterInput | null,
    @Arg('first', () => Int, { nullable: true, description: 'Items per page, 1 to 200; default 20.' }) first:
      | number
      | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<TaskPage> {
    const filter = toTaskFilter(given);
    const { items, hasNextPage } = await core.tasks.list(principal, { ...filter, first, after });
    const page = { items: items.map(({ row, cursor }) => ({ item: row, cursor })), hasNextPage };
    return { ...toConnection(page, after), filter };
  }

  @Mutation(() => SendMessageResult, {
    description: 'Sends a message to an agent. It is stored before anything else: an acknowledged task is never lost.',
  })
  async sendMessage(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => SendMessageInput) input: SendMessageInput,
  ) {
    const request = {
      message: {
        messageId: input.messageId ?? newId(),
        role: 'user' as const,
        parts: partsOf(input),
        ...(input.contextId == null ? {} : { contextId: input.contextId }),
        ...(input.taskId == null ? {} : { taskId: input.taskId }),
        ...(input.referenceTaskIds == null ? {} : { referenceTaskIds: input.referenceTaskIds }),
      },
      configuration: { returnImmediately: input.wait === false },
      ...(input.metadata == null ? {} : { metadata: input.metadata as Record<string, unknown> }),
    };
    const sent = await core.tasks.send(principal, input.agentId, request, {
      idempotencyKey: input.idempotencyKey ?? undefined,
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
    return loaders.ownTask.load(input.id);
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
    @Root() task: ShownTask,
    @Ctx() { loaders }: GraphQLContext,
    @Arg('last', () => Int, { nullable: true, description: 'The most recent ones only.' }) last: number | null,
  ) {
    const { history = [] } = task.contents ?? (await loaders.taskContents.load(task.id)) ?? {};
    return last == null ? history : last > 0 ? history.slice(-last) : [];
  }

  @FieldResolver(() => [Artifact])
  async artifacts(@Root() task: ShownTask, @Ctx() { loaders }: GraphQLContext) {
    return (task.contents ?? (await loaders.taskContents.load(task.id)))?.artifacts ?? [];
  }
}

@Resolver(() => SendMessageResult)
export class SendMessageResultResolver {
  @FieldResolver(() => Task)
  task(@Root() result: { taskId: string }, @Ctx() { loaders }: GraphQLContext) {
    return loaders.ownTask.load(result.taskId);
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

  @FieldResolver(() => Task, {
    nullable: true,
    description: 'Of kind SNAPSHOT: the task as it was at the sequence. Of any other kind: the task as it is now.',
  })
  async task(
    @Root() event: { taskId: string; sequence: number; snapshot?: TaskContents },
    @Ctx() { loaders }: GraphQLContext,
  ) {
    const row = await loaders.task.load(event.taskId);
    if (row === undefined) return null;
    return event.snapshot === undefined ? row : asOfSnapshot(row, event.snapshot, event.sequence);
  }
}
