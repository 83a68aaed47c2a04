import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { AgentUsage as AgentUsageModel } from '../../registry/model.ts';
import type { GraphQLContext } from '../context.ts';
import { AgentLatency, AgentUsage } from '../types/agent.ts';

@Resolver(() => AgentUsage)
export class AgentUsageResolver {
  @FieldResolver(() => AgentLatency, { nullable: true, description: 'Null when no call was timed in the last 7 days.' })
  async latency(@Root() usage: AgentUsageModel, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.latencyOfAgent.load(usage.agentId)) ?? null;
  }
}
