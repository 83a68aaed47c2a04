import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Provider as ProviderModel } from '../../registry/model.ts';
import type { GraphQLContext } from '../context.ts';
import { ProviderInput } from '../inputs/agent.ts';
import { plain } from '../inputs/plain.ts';
import { DeleteProviderInput, SetProviderCardKeysInput, UpdateProviderInput } from '../inputs/provider.ts';
import { AgentConnection } from '../types/agent.ts';
import { connectionType, toConnection } from '../types/connection.ts';
import { CardKey, Provider } from '../types/provider.ts';

const ProviderConnection = connectionType('Provider', () => Provider);

@Resolver(() => Provider)
export class ProviderResolver {
  @Query(() => ProviderConnection, { description: 'Providers by name.' })
  async providers(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('search', () => String, { nullable: true, description: 'Part of the name.' }) search: string | null,
    @Arg('first', () => Int, { nullable: true }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ) {
    return toConnection(await core.registry.listProviders(principal, { search, first, after }), after);
  }

  @Query(() => Provider, { nullable: true })
  async provider(@Ctx() { loaders }: GraphQLContext, @Arg('id', () => ID) id: string): Promise<ProviderModel | null> {
    return (await loaders.provider.load(id)) ?? null;
  }

  @Mutation(() => Provider, {
    description: 'Registers a provider. ALREADY_EXISTS when there is one of this name and url.',
  })
  registerProvider(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => ProviderInput) input: ProviderInput,
  ): Promise<ProviderModel> {
    return core.registry.registerProvider(principal, plain(input) as never);
  }

  @Mutation(() => Provider, { description: 'Changes a provider.' })
  updateProvider(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => UpdateProviderInput) input: UpdateProviderInput,
  ): Promise<ProviderModel> {
    const { id, revision, ...patch } = plain(input) as unknown as UpdateProviderInput;
    return core.registry.updateProvider(principal, id, patch as never, revision ?? undefined);
  }

  @Mutation(() => Provider, {
    description: 'Deletes a provider and answers it as it was. FAILED_PRECONDITION while agents have it.',
  })
  deleteProvider(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => DeleteProviderInput) input: DeleteProviderInput,
  ): Promise<ProviderModel> {
    return core.registry.deleteProvider(principal, input.id, input.revision ?? undefined);
  }

  @Mutation(() => Provider, {
    description: 'Pins the public keys that must sign the agent cards of a provider; an empty list unpins.',
  })
  setProviderCardKeys(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => SetProviderCardKeysInput) input: SetProviderCardKeysInput,
  ): Promise<ProviderModel> {
    // Not `plain`: a key is what its owner wrote.
    return core.registry.setProviderCardKeys(principal, input.id, input.keys, input.revision ?? undefined);
  }

  @FieldResolver(() => [CardKey], { description: 'The pinned keys that must sign its agent cards.' })
  cardKeys(@Root() provider: ProviderModel, @Ctx() { loaders }: GraphQLContext) {
    return loaders.cardKeysOfProvider.load(provider.id);
  }

  @FieldResolver(() => AgentConnection, { description: 'Its agents that you may see.' })
  async agents(
    @Root() provider: ProviderModel,
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('first', () => Int, { nullable: true }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ) {
    const request = { filter: { providerId: provider.id }, first, after };
    return { ...toConnection(await core.registry.listAgents(principal, request), after), request };
  }
}
