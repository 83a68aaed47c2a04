import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { AgentOperation } from '../../registry/access.ts';
import type { Agent as AgentModel } from '../../registry/model.ts';
import type { GraphQLContext } from '../context.ts';
import { Access, AgentOperationEnum } from '../types/access.ts';
import { Agent } from '../types/agent.ts';

@Resolver(() => Agent)
export class AgentAccessResolver {
  @FieldResolver(() => Access, {
    description: 'Whether you may do this with it, by the rules that the operation itself applies.',
  })
  access(
    @Root() agent: AgentModel,
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('operation', () => AgentOperationEnum) operation: AgentOperation,
  ): Access {
    const refusal = core.registry.refusalOf(principal, agent, operation);
    return { allowed: refusal === undefined, code: refusal?.code ?? null, reason: refusal?.message ?? null };
  }
}
