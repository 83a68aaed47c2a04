import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { PreviewAgent } from '../../registry/flyte/preview.ts';
import type { FlyteWarning as Warning } from '../../registry/flyte/preview-warnings.ts';
import type { Agent as AgentModel, Deployment as DeploymentModel } from '../../registry/model.ts';
import { mayChange } from '../../registry/visibility.ts';
import type { GraphQLContext } from '../context.ts';
import { RegisterDeploymentInput, RemoveDeploymentInput, UpdateDeploymentInput } from '../inputs/deployment.ts';
import { plain } from '../inputs/plain.ts';
import { Agent } from '../types/agent.ts';
import { Deployment, FlytePreview, FlytePreviewAgent, FlyteWarning } from '../types/flyte.ts';

/** Internal addresses are for those who may change the agent. */
export const withoutEndpoint = (deployment: DeploymentModel) => ({ ...deployment, endpoint: null });

@Resolver(() => Deployment)
export class DeploymentResolver {
  @Mutation(() => Deployment, {
    description:
      'Adds a Flyte deployment to an agent. EGRESS_DENIED when its endpoint must not be reached, ALREADY_EXISTS when the agent has it.',
  })
  registerDeployment(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => RegisterDeploymentInput) input: RegisterDeploymentInput,
  ): Promise<DeploymentModel> {
    const { agentId, revision, ...deployment } = plain(input) as unknown as RegisterDeploymentInput;
    return core.registry.registerDeployment(principal, agentId, deployment as never, revision ?? undefined);
  }

  @Mutation(() => Deployment, { description: 'Changes a Flyte deployment: its weight for a canary, draining, …' })
  updateDeployment(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => UpdateDeploymentInput) input: UpdateDeploymentInput,
  ): Promise<DeploymentModel> {
    const { id, revision, ...patch } = plain(input) as unknown as UpdateDeploymentInput;
    return core.registry.updateDeployment(principal, id, patch as never, revision ?? undefined);
  }

  @Mutation(() => Deployment, {
    description:
      'Removes a Flyte deployment and answers it as it was. Its jobs are not asked for anywhere else: cancel them first, or drain it.',
  })
  removeDeployment(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => RemoveDeploymentInput) input: RemoveDeploymentInput,
  ): Promise<DeploymentModel> {
    return core.registry.removeDeployment(principal, input.id, input.revision ?? undefined);
  }

  @FieldResolver(() => Agent, { nullable: true, description: 'Null when it was just deleted.' })
  async agent(@Root() deployment: DeploymentModel, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.agent.load(deployment.agentId)) ?? null;
  }
}

@Resolver(() => Agent)
export class AgentDeploymentsResolver {
  @FieldResolver(() => [Deployment], { description: "Where it serves Flyte's tasks, oldest first." })
  async deployments(@Root() agent: AgentModel, @Ctx() { loaders, principal }: GraphQLContext) {
    const deployments = await loaders.deploymentsOfAgent.load(agent.id);
    return mayChange(principal, agent) ? deployments : deployments.map(withoutEndpoint);
  }
}

@Resolver(() => FlytePreview)
export class FlytePreviewResolver {
  @Query(() => FlytePreview, { description: 'What FlytePropeller 1.x sees of the registry, and what it will not.' })
  flytePreview(@Ctx() { core, principal }: GraphQLContext) {
    return core.registry.flytePreview(principal, core.flyte);
  }
}

@Resolver(() => FlytePreviewAgent)
export class FlytePreviewAgentResolver {
  @FieldResolver(() => Agent, { nullable: true })
  async agent(@Root() { agentId }: PreviewAgent, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.agent.load(agentId)) ?? null;
  }
}

@Resolver(() => FlyteWarning)
export class FlyteWarningResolver {
  @FieldResolver(() => Agent, { nullable: true })
  async agent(@Root() { agentId }: Warning, @Ctx() { loaders }: GraphQLContext) {
    return agentId === null ? null : ((await loaders.agent.load(agentId)) ?? null);
  }
}
