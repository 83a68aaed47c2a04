import type { Principal } from '../../auth/principal.ts';
import type { Agent, AgentExtension, AgentUsage, TaskCategory } from '../model.ts';
import { mayChange } from '../visibility.ts';

/** The extension under which an extended card says what the public one does not; docs/schema.md has its members. */
export const AGENT_DETAILS = 'urn:rollcall:agent-details:1';

/** What is known of an agent besides its row. */
export interface AgentFacts {
  readonly taskCategories: readonly TaskCategory[];
  readonly usage: AgentUsage | undefined;
  readonly sourceCard: { readonly url: string; readonly digest: string; readonly fetchedAt: Date } | undefined;
}

/** Members that are there: ProtoJSON's Struct is no place for what is unknown. */
const known = (members: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value != null));

/**
 * What a signed-in caller who sees the agent learns beyond its public card: what the registry knows of it, what the agent
 * itself declares where the gateway adds to it, and where it really is. Whoever may change it also learns how it is driven.
 */
export function agentDetails(principal: Principal, agent: Agent, facts: AgentFacts): AgentExtension {
  const { usage, sourceCard, taskCategories } = facts;
  return {
    uri: AGENT_DETAILS,
    description: 'What the registry knows of this agent, for signed-in callers.',
    params: {
      ...known({
        handle: agent.handle,
        type: agent.type,
        executionType: agent.executionType,
        status: agent.status,
        visibility: agent.visibility,
        owner: agent.owner,
        version: agent.version,
        url: agent.url,
      }),
      capabilities: agent.capabilities,
      declared: {
        streaming: agent.streaming,
        pushNotifications: agent.pushNotifications,
        stateTransitionHistory: agent.stateTransitionHistory,
      },
      interfaces: agent.interfaces.map(({ url, binding, protocolVersion }) => ({ url, binding, protocolVersion })),
      taskCategories: taskCategories.map(({ name, version }) => ({ name, version })),
      revision: agent.revision,
      createdAt: agent.createdAt.toISOString(),
      updatedAt: agent.updatedAt.toISOString(),
      ...(usage === undefined
        ? {}
        : {
            usage: known({
              calls: usage.calls,
              failures: usage.failures,
              lastUsedAt: usage.lastUsedAt?.toISOString(),
            }),
          }),
      ...(mayChange(principal, agent) ? { management: managementOf(agent, sourceCard) } : {}),
    },
  };
}

const managementOf = (agent: Agent, sourceCard: AgentFacts['sourceCard']): object =>
  known({
    authenticationType: agent.authenticationType,
    hasCredentials: agent.hasCredentials,
    retrySafe: agent.retrySafe,
    flyteName: agent.flyteName,
    isSync: agent.isSync,
    sourceCard: sourceCard && {
      url: sourceCard.url,
      digest: sourceCard.digest,
      fetchedAt: sourceCard.fetchedAt.toISOString(),
    },
  });
