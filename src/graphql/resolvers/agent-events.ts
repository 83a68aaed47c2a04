import { Arg, Ctx, Field, FieldResolver, ID, InputType, Resolver, Root, Subscription } from 'type-graphql';
import type { AgentEvent as AgentEventMessage } from '../../events/events.ts';
import { listen } from '../../events/listen.ts';
import { isVisible, requireScope } from '../../registry/visibility.ts';
import type { GraphQLContext } from '../context.ts';
import { Agent, AgentEvent } from '../types/agent.ts';
import { AgentActionEnum } from '../types/words.ts';

@InputType({ description: 'Which changes to hear of; all conditions must hold.' })
export class AgentEventFilterInput {
  @Field(() => [ID], { nullable: true })
  agentIds?: string[] | null;

  @Field(() => [AgentActionEnum], { nullable: true })
  actions?: string[] | null;

  @Field(() => ID, { nullable: true })
  owner?: string | null;
}

@Resolver(() => AgentEvent)
export class AgentEventResolver {
  @Subscription(() => AgentEvent, {
    description: 'Changes of agents that you may see, as they are committed.',
    subscribe: ({ context, args }: { context: GraphQLContext; args: { filter?: AgentEventFilterInput | null } }) => {
      const { principal, core } = context;
      requireScope(principal, 'registry:read');
      const { agentIds, actions, owner } = args.filter ?? {};
      return listen(
        core.events,
        'agent',
        (event) =>
          isVisible(principal, event) &&
          (agentIds == null || agentIds.includes(event.agentId)) &&
          (actions == null || actions.includes(event.action)) &&
          (owner == null || owner === event.owner),
      ) as never;
    },
  })
  agentsChanged(
    @Root() event: AgentEventMessage,
    @Arg('filter', () => AgentEventFilterInput, { nullable: true }) _filter: AgentEventFilterInput | null,
  ): AgentEventMessage {
    return event;
  }

  @FieldResolver(() => Agent, {
    nullable: true,
    description: 'The agent as it is now; null when it was deleted, or you may not see it any more.',
  })
  async agent(@Root() event: AgentEventMessage, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.agent.load(event.agentId)) ?? null;
  }
}
