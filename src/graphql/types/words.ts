import { FACET_FIELDS } from '../../registry/lists/agent-counts.ts';
import { AGENT_ORDERS } from '../../registry/lists/agent-list.ts';
import { AGENT_STATUSES, AUTHENTICATION_TYPES, EXECUTION_TYPES, VISIBILITIES } from '../../registry/words.ts';
import { enumOf } from '../enums.ts';

export const ExecutionTypeEnum = enumOf('ExecutionType', 'How an agent is driven.', EXECUTION_TYPES, {
  docker: 'A container, reached through the endpoint it declares.',
  api: 'A plain HTTP API that takes and gives JSON.',
  a2a: 'An agent that speaks the Agent2Agent protocol.',
  framework: 'An agent inside an agent framework, reached through the endpoint it declares.',
  edge: 'An agent on a device, reached through the endpoint it declares.',
  flyte: 'A Flyte agent deployment.',
  mmcloud: 'Memory Machine Cloud.',
  echo: 'The bundled agent that answers what it is sent.',
});

export const AgentStatusEnum = enumOf('AgentStatus', 'The lifecycle of an agent.', AGENT_STATUSES, {
  active: 'At work.',
  inactive: 'Not listed to Flyte; sends are refused; running tasks go on.',
  deprecated: 'Works, with a warning in card, graph and logs.',
});

export const VisibilityEnum = enumOf('Visibility', 'Who sees an agent.', VISIBILITIES, {
  public: 'Anyone.',
  internal: 'Any signed-in caller.',
  private: 'Its owner.',
});

export const AuthenticationTypeEnum = enumOf(
  'AuthenticationType',
  'How Rollcall signs in to an agent.',
  AUTHENTICATION_TYPES,
);

export const AgentOrderFieldEnum = enumOf('AgentOrderField', 'What agents are ordered by.', AGENT_ORDERS, {
  id: 'Time of registration.',
  lastUsedAt: 'Last call; agents never used come first when ascending.',
  relevance: 'Best match first; needs a search text.',
});

export const FacetFieldEnum = enumOf('FacetField', 'What agents are counted by.', FACET_FIELDS);

export const OrderDirectionEnum = enumOf('OrderDirection', 'Which end comes first.', ['asc', 'desc'] as const);

export const AgentActionEnum = enumOf('AgentAction', 'What happened to an agent.', [
  'registered',
  'imported',
  'refreshed',
  'updated',
  'statusSet',
  'skillAdded',
  'skillUpdated',
  'skillRemoved',
  'taskCategoriesSet',
  'deploymentRegistered',
  'deploymentUpdated',
  'deploymentRemoved',
  'deleted',
] as const);
