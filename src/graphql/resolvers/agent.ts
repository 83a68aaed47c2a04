import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { toDisplayType } from '../../registry/display-type.ts';
import type { FacetField } from '../../registry/lists/agent-counts.ts';
import type { AgentFilter } from '../../registry/lists/agent-filter.ts';
import type { AgentListRequest, AgentOrderField } from '../../registry/lists/agent-list.ts';
import type { Agent as AgentModel } from '../../registry/model.ts';
import { oneOfIdAndHandle } from '../../registry/registry.ts';
import type { GraphQLContext } from '../context.ts';
import { enumName } from '../enums.ts';
import {
  AgentFilterInput,
  AgentOrderInput,
  DeleteAgentInput,
  RegisterAgentInput,
  SetAgentStatusInput,
  SetTaskCategoriesInput,
  UpdateAgentInput,
} from '../inputs/agent.ts';
import { plain } from '../inputs/plain.ts';
import { DateTime } from '../scalars.ts';
import { Agent, AgentChangeConnection, AgentConnection, AgentUsage, Facet, TaskCategory } from '../types/agent.ts';
import { SourceCard } from '../types/card.ts';
import { type ConnectionOf, Count, toConnection, toCount } from '../types/connection.ts';
import { Skill } from '../types/skill.ts';
import { FacetFieldEnum } from '../types/words.ts';

/** A page of agents that knows what it was asked with: totals and facets are counted only when asked for. */
interface AgentPage extends ConnectionOf<AgentModel> {
  readonly request: AgentListRequest;
}

@Resolver(() => Agent)
export class AgentResolver {
  @Query(() => AgentConnection, { description: 'The agents that you may see, a page at a time.' })
  async agents(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('filter', () => AgentFilterInput, { nullable: true }) filter: AgentFilter | null,
    @Arg('search', () => String, {
      nullable: true,
      description:
        'Words of name, handle, description, skills, tags and examples; each may be the beginning of a word. Ranked by RELEVANCE, the newest 2,000 matches are shown.',
    })
    search: string | null,
    @Arg('orderBy', () => AgentOrderInput, {
      nullable: true,
      description: 'Default: RELEVANCE with a search, else ID.',
    })
    orderBy: AgentOrderInput | null,
    @Arg('first', () => Int, { nullable: true, description: 'Items per page, 1 to 200; default 20.' }) first:
      | number
      | null,
    @Arg('after', () => String, { nullable: true, description: 'endCursor of the page before.' }) after: string | null,
  ): Promise<AgentPage> {
    const request: AgentListRequest = {
      filter: filter ?? {},
      search,
      first,
      after,
      orderBy:
        orderBy == null ? null : { field: orderBy.field as AgentOrderField, descending: orderBy.direction === 'desc' },
    };
    const page = await core.registry.listAgents(principal, request);
    return { ...toConnection(page, after), request };
  }

  @Query(() => Agent, {
    nullable: true,
    description: 'One agent, by id or by handle; null when there is none that you may see.',
  })
  async agent(
    @Ctx() { core, principal, loaders }: GraphQLContext,
    @Arg('id', () => ID, { nullable: true }) id: string | null,
    @Arg('handle', () => String, { nullable: true }) handle: string | null,
  ): Promise<AgentModel | null> {
    oneOfIdAndHandle(id, handle);
    return (await (id != null ? loaders.agent.load(id) : core.registry.agentByHandle(principal, handle!))) ?? null;
  }

  @Mutation(() => Agent, {
    description: 'Registers an agent. ALREADY_EXISTS when its handle, Flyte name or a task category is taken.',
  })
  registerAgent(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => RegisterAgentInput) input: RegisterAgentInput,
  ): Promise<AgentModel> {
    return core.registry.registerAgent(principal, plain(input) as never);
  }

  @Mutation(() => Agent, { description: 'Changes an agent. STALE_REVISION when it changed since you read it.' })
  updateAgent(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => UpdateAgentInput) input: UpdateAgentInput,
  ): Promise<AgentModel> {
    const { id, revision, ...patch } = plain(input) as unknown as UpdateAgentInput;
    return core.registry.updateAgent(principal, id, patch as never, revision ?? undefined);
  }

  @Mutation(() => Agent, { description: 'Sets the lifecycle status of an agent.' })
  setAgentStatus(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => SetAgentStatusInput) input: SetAgentStatusInput,
  ): Promise<AgentModel> {
    return core.registry.setAgentStatus(
      principal,
      input.id,
      input.status as AgentModel['status'],
      input.revision ?? undefined,
    );
  }

  @Mutation(() => Agent, {
    description: 'Deletes an agent and answers it as it was. Its tasks stay readable by their owners.',
  })
  deleteAgent(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => DeleteAgentInput) input: DeleteAgentInput,
  ): Promise<AgentModel> {
    return core.registry.deleteAgent(principal, input.id, input.revision ?? undefined);
  }

  @Mutation(() => Agent, { description: 'Sets the Flyte task categories of an agent, all at once.' })
  setTaskCategories(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => SetTaskCategoriesInput) input: SetTaskCategoriesInput,
  ): Promise<AgentModel> {
    return core.registry.setTaskCategories(
      principal,
      input.agentId,
      plain(input.taskCategories) as never,
      input.revision ?? undefined,
    );
  }

  @FieldResolver(() => String, {
    description:
      'What a frontend shows for `type`: "llm" for "text"; whatever has no entry in the table shows as itself.',
  })
  displayType(@Root() agent: AgentModel): string {
    return toDisplayType(agent.type);
  }

  @FieldResolver(() => [String], {
    description: 'What a caller should know before using it, for instance that it is deprecated.',
  })
  warnings(@Root() agent: AgentModel): string[] {
    return agent.status === 'deprecated'
      ? [`The agent ${agent.handle} is deprecated: it still works, and may be removed.`]
      : [];
  }

  @FieldResolver(() => [Skill], { description: 'In the order of its card.' })
  skills(@Root() agent: AgentModel, @Ctx() { loaders }: GraphQLContext) {
    return loaders.skillsOfAgent.load(agent.id);
  }

  @FieldResolver(() => [TaskCategory])
  taskCategories(@Root() agent: AgentModel, @Ctx() { loaders }: GraphQLContext) {
    return loaders.taskCategoriesOfAgent.load(agent.id);
  }

  @FieldResolver(() => AgentUsage)
  usage(@Root() agent: AgentModel, @Ctx() { loaders }: GraphQLContext) {
    return loaders.usageOfAgent.load(agent.id);
  }

  @FieldResolver(() => DateTime, { nullable: true, description: 'Last call through Rollcall.' })
  async lastUsedAt(@Root() agent: AgentModel, @Ctx() { loaders }: GraphQLContext): Promise<Date | null> {
    return (await loaders.usageOfAgent.load(agent.id)).lastUsedAt;
  }

  @FieldResolver(() => SourceCard, { nullable: true, description: 'The card that it was imported from.' })
  async sourceCard(@Root() agent: AgentModel, @Ctx() { core }: GraphQLContext) {
    const card = await core.cards.sourceCard(agent.id);
    return card === undefined ? null : { ...card, body: card.body.toString('base64'), size: card.body.length };
  }

  @FieldResolver(() => AgentChangeConnection, { description: 'Its accepted changes, newest first.' })
  async history(
    @Root() agent: AgentModel,
    @Ctx() { core }: GraphQLContext,
    @Arg('first', () => Int, { nullable: true }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ) {
    return toConnection(await core.registry.historyOfAgent(agent.id, { first, after }), after);
  }
}

/** Facets whose values are words of the graph: they read as the filter takes them. */
const ENUM_FACETS: ReadonlySet<FacetField> = new Set(['status', 'executionType']);

@Resolver(() => AgentConnection)
export class AgentConnectionResolver {
  @FieldResolver(() => Count, { description: 'How many agents there are on all pages. Counted only when asked for.' })
  async totalCount(@Root() page: AgentPage, @Ctx() { core, principal }: GraphQLContext): Promise<Count> {
    return toCount(await core.registry.countAgents(principal, page.request));
  }

  @FieldResolver(() => [Facet], {
    description: 'The values of these fields among the agents on all pages, with counts.',
  })
  async facets(
    @Root() page: AgentPage,
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('fields', () => [FacetFieldEnum]) fields: FacetField[],
  ): Promise<Facet[]> {
    const counted = await core.registry.facets(principal, page.request, [...new Set(fields)]);
    const shown = (field: FacetField, value: string): string => (ENUM_FACETS.has(field) ? enumName(value) : value);
    return [...counted].map(([field, values]) => ({
      field,
      values: values.map(({ value, count }) => ({ value: shown(field, value), count: toCount(count) })),
    }));
  }
}
