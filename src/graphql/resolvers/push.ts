import { Arg, Ctx, FieldResolver, Int, Mutation, Resolver, Root } from 'type-graphql';
import { invalid } from '../../errors.ts';
import { KEPT_DELIVERIES, type StoredPushConfig } from '../../tasks/tasks.ts';
import type { GraphQLContext } from '../context.ts';
import { CreatePushNotificationConfigInput, DeletePushNotificationConfigInput } from '../inputs/push.ts';
import { PushDelivery, PushNotificationConfig } from '../types/push.ts';
import { Task } from '../types/task.ts';

const DEFAULT_DELIVERIES = 20;

/** A webhook as the graph shows it; `stored` is for the fields that are read from elsewhere. */
const toView = (stored: StoredPushConfig) => ({
  ...stored,
  key: stored.name,
  deliveredSequence: stored.cursor,
  nextAttemptAt: stored.nextAt,
  stored,
});

@Resolver(() => Task)
export class TaskPushResolver {
  @FieldResolver(() => [PushNotificationConfig], { description: 'Its webhooks, oldest first; at most 20.' })
  async pushNotificationConfigs(@Root() task: { id: string }, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.push.ofTask.load(task.id)).map(toView);
  }
}

@Resolver(() => PushNotificationConfig)
export class PushResolver {
  @Mutation(() => PushNotificationConfig, {
    description:
      'Registers a webhook: it is told what happens to the task from now on, each event once it took the one before.',
  })
  async createPushNotificationConfig(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => CreatePushNotificationConfigInput) input: CreatePushNotificationConfigInput,
  ) {
    const { taskId, key, url, token, authentication } = input;
    if (key === '') throw invalid('input.key', 'must not be empty; leave it out to have one made');
    const config = {
      url,
      ...(key == null ? {} : { id: key }),
      ...(token == null ? {} : { token }),
      ...(authentication == null
        ? {}
        : {
            authentication: {
              scheme: authentication.scheme,
              ...(authentication.credentials == null ? {} : { credentials: authentication.credentials }),
            },
          }),
    };
    return toView(await core.tasks.push.create(principal, taskId, config));
  }

  @Mutation(() => Task, {
    description: 'Deletes a webhook and its delivery log. Deleting one that is not there is no failure.',
  })
  async deletePushNotificationConfig(
    @Ctx() { core, principal, loaders }: GraphQLContext,
    @Arg('input', () => DeletePushNotificationConfigInput) input: DeletePushNotificationConfigInput,
  ) {
    await core.tasks.push.delete(principal, input.taskId, input.key);
    return loaders.ownTask.load(input.taskId);
  }

  @FieldResolver(() => [PushDelivery], { description: 'The newest attempts to deliver, newest first.' })
  async deliveries(
    @Root() { stored }: ReturnType<typeof toView>,
    @Ctx() { loaders }: GraphQLContext,
    @Arg('last', () => Int, { nullable: true, description: `1 to ${KEPT_DELIVERIES}; default ${DEFAULT_DELIVERIES}.` })
    last: number | null,
  ) {
    const wanted = last ?? DEFAULT_DELIVERIES;
    if (wanted < 1 || wanted > KEPT_DELIVERIES) throw invalid('last', `must be from 1 to ${KEPT_DELIVERIES}`);
    return loaders.push.deliveries.load({ config: stored, last: wanted });
  }
}
