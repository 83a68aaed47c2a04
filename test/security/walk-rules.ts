import { randomUUID } from 'node:crypto';
import type { Scope } from '../../src/auth/principal.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Operation } from '../../src/protocol/a2a/requests.ts';
import { data } from '../support/app.ts';
import { cardV1 } from '../support/card-server.ts';
import { HIDDEN_WORD, type Visibility, type World } from './support/world.ts';

/**
 * Who may do what, at every door. A field, a route or a remote procedure without a row here fails the walk, and so does
 * a row for something that is gone.
 */

/**
 * What a caller gets to see who may not see it all: an error, null, an answer without the owner's things, or an answer
 * about things of their own.
 */
export type Sight = ErrorCode | 'null' | 'absent' | 'own';

export interface GraphRule {
  /** Scopes that are needed, each of them. */
  readonly scopes: readonly Scope[];
  readonly document: string;
  /** Variables of a call that its owner may make; what it uses up is made anew each time. */
  readonly variables: (world: World, visibility: Visibility) => Promise<object> | object;
  readonly stranger: Sight;
  readonly anonymous: Sight;
  /** What a stranger is told about an internal agent, where that differs from a private one. */
  readonly strangerInternal?: Sight;
}

const input = (field: string, type: string, shown = 'id'): string =>
  `mutation($input: ${type}!) { ${field}(input: $input) { ${shown} } }`;

const READ: readonly Scope[] = ['registry:read'];
const WRITE: readonly Scope[] = ['registry:write'];
/** Of an operation that reads what was there besides. */
const WRITE_AND_READ: readonly Scope[] = ['registry:write', 'registry:read'];
const SEND_AND_READ: readonly Scope[] = ['tasks:send', 'tasks:read'];
const TASKS: readonly Scope[] = ['tasks:read'];
const SEND: readonly Scope[] = ['tasks:send'];

/** A change of an agent: to a stranger a private one does not exist, and an internal one is not theirs. */
const ofAgent = (
  document: string,
  more: (agentId: string, world: World, visibility: Visibility) => Promise<object> | object,
): GraphRule => ({
  scopes: WRITE,
  document,
  variables: async (world, visibility) => ({
    input: await more(await world.newAgent(visibility), world, visibility),
  }),
  stranger: 'NOT_FOUND',
  strangerInternal: 'FORBIDDEN',
  anonymous: 'UNAUTHENTICATED',
});

const ofTask = (document: string, more: (taskId: string, world: World) => Promise<object> | object): GraphRule => ({
  scopes: SEND,
  document,
  variables: async (world) => ({ input: await more(await world.newTask(world.agents.PRIVATE), world) }),
  stranger: 'TASK_NOT_FOUND',
  anonymous: 'UNAUTHENTICATED',
});

const ofProvider = (document: string, more: (id: string) => object): GraphRule => ({
  scopes: WRITE,
  document,
  variables: async (world) => ({
    input: more((await world.mutate('registerProvider', 'ProviderInput', { name: `Zoo ${randomUUID()}` })).id),
  }),
  // Providers are everyone's to see.
  stranger: 'FORBIDDEN',
  anonymous: 'UNAUTHENTICATED',
});

/** A card at an address of its own. */
const newCard = ({ cards }: World, name: string): string => {
  const path = `/${randomUUID()}`;
  cards.on(`${path}/.well-known/agent-card.json`, cardV1({ name }));
  return `${cards.url}${path.slice(1)}/`;
};

const skillOf = async (world: World, agentId: string): Promise<string> =>
  (
    await world.mutate('addSkill', 'AddSkillInput', {
      agentId,
      skill: { key: `${HIDDEN_WORD}-more`, name: `${HIDDEN_WORD} more` },
    })
  ).id;
const deploymentOf = async (world: World, agentId: string): Promise<string> =>
  (
    await world.mutate('registerDeployment', 'RegisterDeploymentInput', {
      agentId,
      endpoint: '127.0.0.1:9',
      tls: false,
    })
  ).id;

/** The fields of Query, Mutation and Subscription. */
export const GRAPH_RULES: Readonly<Record<string, GraphRule>> = {
  'Query.agents': {
    scopes: READ,
    document:
      '{ agents(first: 200) { nodes { id handle } totalCount { value } facets(fields: [TAG, SKILL_KEY]) { values { value } } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.agent': {
    scopes: READ,
    document: 'query($id: ID!) { agent(id: $id) { id handle } }',
    variables: (world, visibility) => ({ id: world.agents[visibility] }),
    stranger: 'null',
    anonymous: 'null',
  },
  'Query.flytePreview': {
    scopes: READ,
    document: '{ flytePreview { open agents { agentId name supportedTaskTypes } warnings { message agentId } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.providers': {
    scopes: READ,
    document: '{ providers(first: 200) { nodes { id name agents { nodes { id handle } } } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.provider': {
    scopes: READ,
    document: 'query($id: ID!) { provider(id: $id) { id agents(first: 200) { nodes { id handle } } } }',
    variables: (world) => ({ id: world.provider }),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.skills': {
    scopes: READ,
    document: '{ skills(first: 200) { nodes { id key agent { id } } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.skill': {
    scopes: READ,
    document: 'query($id: ID!) { skill(id: $id) { id key } }',
    variables: async (world, visibility) => ({ id: await skillOf(world, await world.newAgent(visibility)) }),
    stranger: 'null',
    anonymous: 'null',
  },
  'Query.task': {
    scopes: TASKS,
    document: 'query($id: ID!) { task(id: $id) { id statusMessage { parts { text } } } }',
    variables: (world) => ({ id: world.taskId }),
    stranger: 'null',
    anonymous: 'UNAUTHENTICATED',
  },
  'Query.tasks': {
    scopes: TASKS,
    document: '{ tasks(first: 200) { nodes { id statusMessage { parts { text } } } totalCount { value } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'UNAUTHENTICATED',
  },
  'Query.exportRecords': {
    scopes: READ,
    document: 'query($after: String) { exportRecords(first: 200, after: $after) { records next } }',
    // Providers, which are everyone's, come first, on pages of their own.
    variables: async (world) => {
      const first = await data(world.url, '{ exportRecords(first: 200) { next } }', {}, world.owner);
      return { after: first['exportRecords'].next };
    },
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.auditLog': {
    scopes: ['admin'],
    document: '{ auditLog(first: 200) { nodes { id actor operation targetId changes { field before after } } } }',
    variables: () => ({}),
    stranger: 'FORBIDDEN',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.registerAgent': {
    scopes: WRITE,
    document: input('registerAgent', 'RegisterAgentInput', 'id name'),
    variables: () => ({ input: { name: 'Newcomer', executionType: 'ECHO' } }),
    stranger: 'own',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.updateAgent': ofAgent(input('updateAgent', 'UpdateAgentInput'), (id) => ({ id, name: 'Another' })),
  'Mutation.setAgentStatus': ofAgent(input('setAgentStatus', 'SetAgentStatusInput'), (id) => ({
    id,
    status: 'INACTIVE',
  })),
  'Mutation.deleteAgent': ofAgent(input('deleteAgent', 'DeleteAgentInput'), (id) => ({ id })),
  'Mutation.setTaskCategories': ofAgent(input('setTaskCategories', 'SetTaskCategoriesInput'), (agentId) => ({
    agentId,
    taskCategories: [],
  })),
  'Mutation.previewCard': {
    scopes: WRITE_AND_READ,
    document: 'mutation($url: String!) { previewCard(url: $url) { url registered { id handle } } }',
    variables: async (world) => {
      const url = newCard(world, 'Previewed');
      await world.mutate('importAgent', 'ImportAgentInput', {
        url,
        handle: `${HIDDEN_WORD}-${randomUUID()}`,
        visibility: 'PRIVATE',
      });
      return { url };
    },
    stranger: 'absent',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.importAgent': {
    scopes: WRITE,
    document: input('importAgent', 'ImportAgentInput'),
    variables: (world) => ({ input: { url: newCard(world, 'Imported') } }),
    stranger: 'own',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.refreshAgent': {
    scopes: WRITE,
    document: input('refreshAgent', 'RefreshAgentInput', 'agent { id }'),
    variables: async (world, visibility) => ({
      input: {
        id: (
          await world.mutate('importAgent', 'ImportAgentInput', {
            url: newCard(world, 'Refreshed'),
            visibility,
          })
        ).id,
      },
    }),
    stranger: 'NOT_FOUND',
    strangerInternal: 'FORBIDDEN',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.registerDeployment': ofAgent(input('registerDeployment', 'RegisterDeploymentInput'), (agentId) => ({
    agentId,
    endpoint: '127.0.0.1:9',
    tls: false,
  })),
  'Mutation.updateDeployment': ofAgent(input('updateDeployment', 'UpdateDeploymentInput'), async (agentId, world) => ({
    id: await deploymentOf(world, agentId),
    weight: 2,
  })),
  'Mutation.removeDeployment': ofAgent(input('removeDeployment', 'RemoveDeploymentInput'), async (agentId, world) => ({
    id: await deploymentOf(world, agentId),
  })),
  'Mutation.registerProvider': {
    scopes: WRITE,
    document: input('registerProvider', 'ProviderInput'),
    variables: () => ({ input: { name: `Zoo ${randomUUID()}` } }),
    stranger: 'own',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.updateProvider': ofProvider(input('updateProvider', 'UpdateProviderInput'), (id) => ({
    id,
    name: `Other ${randomUUID()}`,
  })),
  'Mutation.deleteProvider': ofProvider(input('deleteProvider', 'DeleteProviderInput'), (id) => ({ id })),
  'Mutation.setProviderCardKeys': ofProvider(input('setProviderCardKeys', 'SetProviderCardKeysInput'), (id) => ({
    id,
    keys: [],
  })),
  'Mutation.createPushNotificationConfig': ofTask(
    input('createPushNotificationConfig', 'CreatePushNotificationConfigInput'),
    (taskId, world) => ({ taskId, url: world.webhook.url }),
  ),
  'Mutation.deletePushNotificationConfig': ofTask(
    input('deletePushNotificationConfig', 'DeletePushNotificationConfigInput'),
    async (taskId, world) => ({ taskId, key: await world.newPushConfig(taskId) }),
  ),
  'Mutation.addSkill': ofAgent(input('addSkill', 'AddSkillInput'), (agentId) => ({
    agentId,
    skill: { key: 'added', name: 'Added' },
  })),
  'Mutation.updateSkill': ofAgent(input('updateSkill', 'UpdateSkillInput'), async (agentId, world) => ({
    id: await skillOf(world, agentId),
    name: 'Another',
  })),
  'Mutation.removeSkill': ofAgent(input('removeSkill', 'RemoveSkillInput'), async (agentId, world) => ({
    id: await skillOf(world, agentId),
  })),
  'Mutation.sendMessage': {
    scopes: SEND,
    document: input('sendMessage', 'SendMessageInput', 'task { id }'),
    variables: (world, visibility) => ({ input: { agentId: world.agents[visibility], text: 'hello' } }),
    stranger: 'NOT_FOUND',
    strangerInternal: 'own',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.cancelTask': ofTask(input('cancelTask', 'CancelTaskInput'), (id) => ({ id })),
  'Mutation.loadRecords': {
    scopes: ['admin'],
    document: input('loadRecords', 'LoadRecordsInput', 'created'),
    variables: () => ({ input: { records: [], dryRun: true } }),
    stranger: 'FORBIDDEN',
    anonymous: 'UNAUTHENTICATED',
  },
  'Subscription.agentsChanged': {
    scopes: READ,
    document: 'subscription { agentsChanged { agentId handle action } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Subscription.taskEvents': {
    scopes: TASKS,
    document:
      'subscription($id: ID!) { taskEvents(taskId: $id) { taskId sequence task { statusMessage { parts { text } } } } }',
    variables: (world) => ({ id: world.taskId }),
    stranger: 'TASK_NOT_FOUND',
    anonymous: 'UNAUTHENTICATED',
  },
  'Subscription.tasksChanged': {
    scopes: TASKS,
    document: 'subscription { tasksChanged { taskId agentId task { history { parts { text } } } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'UNAUTHENTICATED',
  },
};

/**
 * Fields below those of the roots. A name alone: whoever sees the object sees the field. In `GUARDED_FIELDS` stand those
 * that are held back from somebody who sees the object.
 */
export const OBJECT_FIELDS: Readonly<Record<string, string>> = {
  AgentConnection: 'edges nodes pageInfo totalCount facets',
  AgentEdge: 'cursor node',
  Agent:
    'id handle name description version type executionType status inputModes outputModes capabilities url interfaces documentationUrl iconUrl extensions provider authenticationType hasCredentials streaming pushNotifications stateTransitionHistory retrySafe flyteName isSync owner visibility createdAt updatedAt revision displayType warnings skills taskCategories usage lastUsedAt sourceCard history deployments tasks access',
  Access: 'allowed code reason',
  AuditEntry: 'id at actor address userAgent requestId scopes operation outcome code count targetType targetId changes',
  AuditEntryConnection: 'edges nodes pageInfo',
  AuditEntryEdge: 'cursor node',
  AgentInterface: 'url binding protocolVersion',
  Provider: 'id name url owner revision createdAt updatedAt cardKeys agents',
  CardKey: 'kid jwk',
  Skill: 'id key name description tags examples inputModes outputModes createdAt updatedAt agent',
  TaskCategory: 'name version',
  AgentUsage: 'calls failures lastUsedAt latency',
  AgentLatency: 'calls p50 p95 p99',
  SourceCard: 'url era digest body size signatures fetchedAt verification',
  CardVerification: 'state keyId',
  AgentChangeConnection: 'edges nodes pageInfo',
  AgentChangeEdge: 'cursor node',
  AgentChange: 'id revision action actor at changes',
  FieldChange: 'field before after',
  PageInfo: 'hasNextPage hasPreviousPage startCursor endCursor',
  Deployment: 'id endpoint tls generation weight draining timeouts createdAt updatedAt agent',
  DeploymentTimeouts: 'createTask getTask deleteTask getTaskMetrics getTaskLogs executeTaskSync',
  TaskConnection: 'edges nodes pageInfo totalCount',
  TaskEdge: 'cursor node',
  Task: 'id contextId state statusMessage statusAt metadata owner createdAt finishedAt lastSequence pushNotificationConfigs agent history artifacts',
  Message: 'messageId taskId contextId role parts metadata extensions referenceTaskIds',
  Part: 'text raw url data filename mediaType metadata',
  PushNotificationConfig:
    'id key taskId url hasToken scheme dialect state deliveredSequence attempts nextAttemptAt createdAt deliveries',
  PushDelivery: 'sequence attempt outcome status error durationMs at',
  Artifact: 'artifactId name description parts metadata extensions',
  Count: 'value exact display',
  Facet: 'field values',
  FacetValue: 'value count',
  FlytePreview: 'open agents warnings',
  FlytePreviewAgent: 'agentId name isSync supportedTaskTypes categories agent',
  FlytePreviewCategory: 'name version kept calledAs takesTasks',
  FlyteWarning: 'kind message agentId category agent',
  ProviderConnection: 'edges nodes pageInfo',
  ProviderEdge: 'cursor node',
  SkillConnection: 'edges nodes pageInfo',
  SkillEdge: 'cursor node',
  ExportPage: 'records next',
  CardPreview: 'url era digest valid problems verification agent registered',
  CardProblem: 'path severity message',
  CardRefresh: 'agent changes breaking problems applied',
  CardChange: 'path kind before after breaking reason',
  SendMessageResult: 'message task',
  LoadResult: 'created updated unchanged skipped needCredentials problems',
  LoadProblem: 'index field message',
  AgentEvent: 'action agentId handle revision at agent',
  TaskEvent: 'taskId sequence kind state at message artifact append lastChunk metadata reset task',
  TaskChange: 'taskId agentId contextId from to sequence at merged task',
};

export interface GuardedField {
  /** The field inside an agent that the owner and the stranger both see. */
  readonly selection: string;
  /** Where its value is. */
  readonly at: (agent: any) => unknown;
  /** The stranger's value; the owner's is another one. */
  readonly withheld: unknown;
  readonly scopes?: readonly Scope[];
}

export const GUARDED_FIELDS: Readonly<Record<string, GuardedField>> = {
  'Deployment.endpoint': {
    selection: 'deployments { endpoint }',
    at: (agent) => agent.deployments[0].endpoint,
    withheld: null,
  },
  'Agent.tasks': {
    selection: 'tasks { nodes { id } }',
    at: (agent) => agent.tasks?.nodes ?? null,
    withheld: [],
    scopes: TASKS,
  },
};

/** Names that look like a secret's, and why they are none. */
export const HARMLESS_NAMES: Readonly<Record<string, string>> = {
  'Agent.hasCredentials': 'whether there are any',
  'PushNotificationConfig.hasToken': 'whether there is one',
  'LoadResult.needCredentials': 'handles of agents',
  'CardKey.kid': 'of a public key',
  'CardVerification.keyId': 'of a public key',
  'CardPreview.valid': 'a boolean',
};

/** What an operation of A2A needs, in every binding and dialect. */
export interface A2aRule {
  readonly scopes: readonly Scope[];
  readonly stranger: ErrorCode;
  readonly anonymous: ErrorCode;
  /** The request of a call that the owner of the private agent may make. */
  readonly request: (world: World) => Promise<object> | object;
}

const rpcMessage = (): object => ({
  message: { messageId: randomUUID(), role: 'user', parts: [{ text: `ask: ${HIDDEN_WORD}?` }] },
});
const onTask = (scopes: readonly Scope[], request: A2aRule['request']): A2aRule => ({
  scopes,
  stranger: 'TASK_NOT_FOUND',
  anonymous: 'UNAUTHENTICATED',
  request,
});
const freshTask = async (world: World): Promise<string> => world.newTask(world.agents.PRIVATE);
const withConfig = async (world: World) => {
  const taskId = await freshTask(world);
  return { taskId, id: await world.newPushConfig(taskId) };
};

export const A2A_RULES: Readonly<Record<Operation, A2aRule>> = {
  SendMessage: { scopes: SEND, stranger: 'NOT_FOUND', anonymous: 'UNAUTHENTICATED', request: rpcMessage },
  SendStreamingMessage: { scopes: SEND, stranger: 'NOT_FOUND', anonymous: 'UNAUTHENTICATED', request: rpcMessage },
  GetTask: onTask(TASKS, ({ taskId: id }) => ({ id })),
  ListTasks: { scopes: TASKS, stranger: 'NOT_FOUND', anonymous: 'UNAUTHENTICATED', request: () => ({}) },
  CancelTask: onTask(SEND_AND_READ, async (world) => ({ id: await freshTask(world) })),
  SubscribeToTask: onTask(TASKS, ({ taskId: id }) => ({ id })),
  CreateTaskPushNotificationConfig: onTask(SEND_AND_READ, async (world) => ({
    taskId: await freshTask(world),
    id: `made-${HIDDEN_WORD}`,
    url: world.webhook.url,
  })),
  GetTaskPushNotificationConfig: onTask(TASKS, withConfig),
  ListTaskPushNotificationConfigs: onTask(TASKS, async (world) => ({ taskId: (await withConfig(world)).taskId })),
  DeleteTaskPushNotificationConfig: onTask(SEND_AND_READ, withConfig),
  GetExtendedAgentCard: { scopes: READ, stranger: 'NOT_FOUND', anonymous: 'UNAUTHENTICATED', request: () => ({}) },
};

/**
 * HTTP routes. `open`: anyone, and nothing of anybody's is in it. `graph`: GraphQL, walked field by field. `operation`:
 * A2A, walked operation by operation. `card` and `extended card`: of an agent that one may see; the latter asks to sign in.
 */
export type RouteRule = 'open' | 'graph' | 'graph stream' | 'operation' | 'card' | 'extended card';

export const ROUTE_RULES: Readonly<Record<string, RouteRule>> = {
  'GET /health': 'open',
  'GET /health/live': 'open',
  'GET /health/ready': 'open',
  'GET /metrics': 'open',
  'GET /.well-known/jwks.json': 'open',
  'GET /a2a/openapi.json': 'open',
  'GET /graphql': 'graph',
  'POST /graphql': 'graph',
  'GET /subgraph': 'graph',
  'POST /subgraph': 'graph',
  'GET /graphql/stream': 'graph stream',
  'POST /graphql/stream': 'graph stream',
  'PUT /graphql/stream': 'graph stream',
  'DELETE /graphql/stream': 'graph stream',
  'GET /subgraph/stream': 'graph stream',
  'POST /subgraph/stream': 'graph stream',
  'PUT /subgraph/stream': 'graph stream',
  'DELETE /subgraph/stream': 'graph stream',
  'GET /agents/:agentId/.well-known/agent-card.json': 'card',
  'GET /agents/:agentId/.well-known/agent.json': 'card',
  'GET /a2a/:agentId/.well-known/agent-card.json': 'card',
  'GET /a2a/:agentId/.well-known/agent.json': 'card',
  'GET /agents/:agentId/agent/authenticatedExtendedCard': 'extended card',
  'GET /a2a/:agentId/agent/authenticatedExtendedCard': 'extended card',
  'POST /a2a/:agentId': 'operation',
  'POST /a2a/:agentId/tasks/send': 'operation',
  'POST /a2a/:agentId/tasks/sendSubscribe': 'operation',
  'POST /a2a/:agentId/tasks/get': 'operation',
  'POST /a2a/:agentId/tasks/cancel': 'operation',
  'POST /a2a/:agentId/tasks/pushNotification/set': 'operation',
  'POST /a2a/:agentId/tasks/pushNotification/get': 'operation',
  'GET /a2a/:agentId/*': 'operation',
  'POST /a2a/:agentId/*': 'operation',
  'DELETE /a2a/:agentId/*': 'operation',
};

/**
 * RPCs beside those of A2A. `open`: nothing of anybody's. `flyte list`: what the principal of Flyte's port sees.
 * `flyte task`: a job of a category that principal sees; of any other as if there were none.
 */
export type RpcRule = 'open' | 'operation' | 'flyte list' | 'flyte task';

const async1 = (method: string) => `/flyteidl.service.AsyncAgentService/${method}`;
const async2 = (method: string) => `/flyteidl2.connector.AsyncConnectorService/${method}`;
const JOB_METHODS = ['CreateTask', 'GetTask', 'DeleteTask', 'GetTaskMetrics', 'GetTaskLogs'];

export const RPC_RULES: Readonly<Record<string, RpcRule>> = {
  ...Object.fromEntries(Object.keys(A2A_RULES).map((name) => [`/lf.a2a.v1.A2AService/${name}`, 'operation'])),
  ...Object.fromEntries(
    JOB_METHODS.flatMap((name) => [async1(name), async2(name)]).map((path) => [path, 'flyte task']),
  ),
  '/flyteidl.service.SyncAgentService/ExecuteTaskSync': 'flyte task',
  '/flyteidl.service.AgentMetadataService/GetAgent': 'flyte list',
  '/flyteidl.service.AgentMetadataService/ListAgents': 'flyte list',
  '/flyteidl2.connector.ConnectorMetadataService/GetConnector': 'flyte list',
  '/flyteidl2.connector.ConnectorMetadataService/ListConnectors': 'flyte list',
  '/grpc.health.v1.Health/Check': 'open',
  '/grpc.health.v1.Health/List': 'open',
  '/grpc.health.v1.Health/Watch': 'open',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': 'open',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': 'open',
};
