/** The closed vocabularies of the registry (DESIGN: the words). Values are what the database, exports and cards hold. */

/** How an agent is driven. docker, framework and edge agents are reached through the endpoint they declare. */
export const EXECUTION_TYPES = ['docker', 'api', 'a2a', 'framework', 'edge', 'flyte', 'mmcloud', 'echo'] as const;
export type ExecutionType = (typeof EXECUTION_TYPES)[number];

/** inactive: not listed to Flyte, sends refused. deprecated: works, with a warning. */
export const AGENT_STATUSES = ['active', 'inactive', 'deprecated'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

/** public: anyone. internal: any signed-in caller. private: the owner. */
export const VISIBILITIES = ['public', 'internal', 'private'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** How Rollcall signs in to the agent. */
export const AUTHENTICATION_TYPES = ['none', 'bearer', 'apiKey', 'basic', 'oauth2'] as const;
export type AuthenticationType = (typeof AUTHENTICATION_TYPES)[number];

/** Whose services a Flyte deployment has: flyteidl (1) or flyteidl2 (2). */
export const FLYTE_GENERATIONS = [1, 2] as const;
export type FlyteGeneration = (typeof FLYTE_GENERATIONS)[number];

/** What can be asked of a Flyte deployment. */
export const FLYTE_OPERATIONS = [
  'createTask',
  'getTask',
  'deleteTask',
  'getTaskMetrics',
  'getTaskLogs',
  'executeTaskSync',
] as const;
export type FlyteOperation = (typeof FLYTE_OPERATIONS)[number];
