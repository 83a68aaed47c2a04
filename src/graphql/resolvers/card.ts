import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { GraphQLContext } from '../context.ts';
import { ImportAgentInput, RefreshAgentInput } from '../inputs/card.ts';
import { plain } from '../inputs/plain.ts';
import { Agent } from '../types/agent.ts';
import { CardPreview, CardRefresh } from '../types/card.ts';

/** What fetches from the network is a mutation, never a query. */
@Resolver()
export class CardResolver {
  @Mutation(() => CardPreview, {
    description: 'Fetches an agent card and shows what it says and what is wrong with it. Stores nothing.',
  })
  async previewCard(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('url', () => String, { description: 'Base URL of the agent, or the URL of its card.' }) url: string,
  ) {
    const preview = await core.cards.preview(principal, url);
    return {
      ...preview,
      valid: preview.agent !== undefined,
      agent: preview.agent ?? null,
      registered: preview.registered ?? null,
    };
  }

  @Mutation(() => Agent, {
    description: 'Imports an agent by its card. ALREADY_EXISTS, with the id, when its URL was imported already.',
  })
  importAgent(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => ImportAgentInput) input: ImportAgentInput,
  ) {
    const { url, ...options } = plain(input) as unknown as ImportAgentInput;
    return core.cards.import(principal, url, options as never);
  }

  @Mutation(() => CardRefresh, {
    description: 'Fetches the card of an imported agent again, shows what changed, and stores it when asked to.',
  })
  async refreshAgent(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => RefreshAgentInput) input: RefreshAgentInput,
  ) {
    const refresh = await core.cards.refresh(principal, input.id, input.apply ?? false, input.revision ?? undefined);
    const show = (value: unknown): unknown => (value === undefined ? null : value);
    return {
      ...refresh,
      breaking: refresh.changes.some((c) => c.breaking),
      changes: refresh.changes.map((c) => ({
        ...c,
        before: show(c.before),
        after: show(c.after),
        reason: c.reason ?? null,
      })),
    };
  }
}
