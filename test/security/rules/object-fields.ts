import type { Scope } from '../../../src/auth/principal.ts';
import { TASKS } from './scopes.ts';

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
