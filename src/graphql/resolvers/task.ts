import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { newId } from '../../database/ids.ts';
import { invalid, RollcallError } from '../../errors.ts';
import type { Part } from '../../protocol/a2a/model.ts';
import type { GraphQLContext } from '../context.ts';
import { plain } from '../inputs/plain.ts';
import { CancelTaskInput, SendMessageInput } from '../inputs/task.ts';
import { toTask, toTaskEvent } from '../task-views.ts';
import { Agent } from '../types/agent.ts';
import { SendMessageResult, Task, TaskEvent } from '../types/task.ts';

/** The task if the caller may see it; null when not, as for every other thing that does not exist. */
async function taskOrNull({ core, principal }: GraphQLContext, id: string) {
  try {
    return toTask(await core.tasks.get(principal, id));
  } catch (error) {
    if (error instanceof RollcallError && error.code === 'TASK_NOT_FOUND') return null;
    throw error;
  }
}

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
  task(@Ctx() context: GraphQLContext, @Arg('id', () => ID) id: string) {
    return taskOrNull(context, id);
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
      configuration: { returnImmediately: !input.wait },
      ...(input.metadata == null ? {} : { metadata: input.metadata as Record<string, unknown> }),
    });
    const { message } = await sent.answer();
    return { taskId: sent.taskId, message: message ?? null };
  }

  @Mutation(() => Task, { description: 'Cancels a task. TASK_NOT_CANCELABLE when it has ended.' })
  async cancelTask(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => CancelTaskInput) input: CancelTaskInput,
  ) {
    await core.tasks.cancel(principal, input.id);
    return toTask(await core.tasks.get(principal, input.id));
  }

  @FieldResolver(() => Agent, {
    nullable: true,
    description: 'The agent at work; null when it was deleted, or you may not see it any more.',
  })
  async agent(@Root() task: { agentId: string }, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.agent.load(task.agentId)) ?? null;
  }
}

@Resolver(() => SendMessageResult)
export class SendMessageResultResolver {
  @FieldResolver(() => Task)
  async task(@Root() result: { taskId: string }, @Ctx() { core, principal }: GraphQLContext) {
    return toTask(await core.tasks.get(principal, result.taskId));
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
  task(@Root() event: { taskId: string }, @Ctx() context: GraphQLContext) {
    return taskOrNull(context, event.taskId);
  }
}
