import { A2A_RULES } from './a2a.ts';

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
