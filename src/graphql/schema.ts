import 'reflect-metadata';
import { buildSchemaSync, type PubSub } from 'type-graphql';
import { createSubgraph, type Subgraph } from '../gateway/subgraph-schema.ts';
import { requireAnswersFirst } from './answer-scopes.ts';
import type { GraphQLContext } from './context.ts';
import { refuseWrongMoments } from './moments.ts';
import { AgentAccessResolver } from './resolvers/access.ts';
import { AgentConnectionResolver, AgentResolver } from './resolvers/agent.ts';
import { AgentEventResolver } from './resolvers/agent-events.ts';
import { AgentUsageResolver } from './resolvers/agent-usage.ts';
import { AuditResolver } from './resolvers/audit.ts';
import { CardResolver } from './resolvers/card.ts';
import {
  AgentDeploymentsResolver,
  DeploymentResolver,
  FlytePreviewAgentResolver,
  FlytePreviewResolver,
  FlyteWarningResolver,
} from './resolvers/flyte.ts';
import { ProviderResolver } from './resolvers/provider.ts';
import { PushResolver, TaskPushResolver } from './resolvers/push.ts';
import { SkillResolver } from './resolvers/skill.ts';
import { SendMessageResultResolver, TaskEventResolver, TaskResolver } from './resolvers/task.ts';
import { TaskChangeResolver } from './resolvers/task-changes.ts';
import { AgentTasksResolver, TaskConnectionResolver } from './resolvers/task-lists.ts';
import { TransferResolver } from './resolvers/transfer.ts';
import { DateTime, Json } from './scalars.ts';

/** The name of the registry's subgraph in the supergraph. */
export const REGISTRY_SUBGRAPH = 'registry';

const RESOLVERS = [
  AgentResolver,
  AgentConnectionResolver,
  AgentEventResolver,
  AgentUsageResolver,
  AgentAccessResolver,
  AuditResolver,
  AgentTasksResolver,
  SkillResolver,
  ProviderResolver,
  CardResolver,
  TaskResolver,
  SendMessageResultResolver,
  TaskEventResolver,
  TaskConnectionResolver,
  TaskChangeResolver,
  PushResolver,
  TaskPushResolver,
  TransferResolver,
  DeploymentResolver,
  AgentDeploymentsResolver,
  FlytePreviewResolver,
  FlytePreviewAgentResolver,
  FlyteWarningResolver,
] as const;

/** type-graphql asks for one as soon as there is a subscription; each of ours brings its own source of events. */
const NO_PUBSUB: PubSub = {
  publish() {
    throw new Error('subscriptions have their own sources');
  },
  subscribe() {
    throw new Error('subscriptions have their own sources');
  },
};

/** The registry's Federation v2 subgraph: what `/subgraph` serves, and what is composed into the supergraph. */
export function buildRegistrySubgraph(): Subgraph {
  const schema = buildSchemaSync({
    resolvers: RESOLVERS,
    scalarsMap: [
      { type: Date, scalar: DateTime },
      { type: Object, scalar: Json },
    ],
    // The core checks inputs, in one place for all faces; class-validator would be a second one.
    validate: false,
    pubSub: NO_PUBSUB,
  });
  requireAnswersFirst(schema);
  refuseWrongMoments(schema);
  return createSubgraph<GraphQLContext>(schema, {
    references: {
      Agent: (reference, { core, principal, loaders }) =>
        typeof reference['id'] === 'string'
          ? loaders.agent.load(reference['id'])
          : core.registry.agentByHandle(principal, String(reference['handle'])),
      Skill: (reference, { loaders }) => loaders.skill.load(String(reference['id'])),
      Task: (reference, { loaders }) => loaders.task.load(String(reference['id'])),
      Provider: (reference, { loaders }) => loaders.provider.load(String(reference['id'])),
    },
  });
}
