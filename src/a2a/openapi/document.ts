import { HTTP_DIALECTS, type HttpDialect } from '../../protocol/a2a/http-json.ts';
import { type JsonSchema, MessageSchemas } from '../../protocol/a2a/json-schemas.ts';
import { type HttpRoute, OPERATION_NAMES, OPERATIONS } from '../../protocol/a2a/methods.ts';
import { typesOf } from '../../protocol/a2a/protobuf.ts';
import type { Operation } from '../../protocol/a2a/requests.ts';
import { SHIMS } from '../shims.ts';
import { bareOrEnveloped, EARLY_SCHEMAS, EARLY_SHAPES } from './early-schemas.ts';
import { CARD_PATHS, COMMON_PARAMETERS, ERROR_SCHEMAS, errorOf, parameter, ref } from './parts.ts';

type Paths = Record<string, Record<string, object>>;

const BASE = '/a2a/{agentId}';
const SENDS: ReadonlySet<Operation> = new Set(['SendMessage', 'SendStreamingMessage']);
const SUMMARIES: { readonly [O in Operation]: string } = {
  SendMessage: 'Sends a message, and waits until the task ends or needs the client',
  SendStreamingMessage: 'Sends a message, and streams what becomes of it',
  GetTask: 'Reads a task',
  ListTasks: "Lists the caller's tasks, newest status first",
  CancelTask: 'Cancels a task',
  SubscribeToTask: 'Streams the events of a task that has not ended',
  CreateTaskPushNotificationConfig: 'Sets up a webhook for a task',
  GetTaskPushNotificationConfig: 'Reads a webhook of a task',
  ListTaskPushNotificationConfigs: 'Lists the webhooks of a task',
  DeleteTaskPushNotificationConfig: 'Removes a webhook of a task',
  GetExtendedAgentCard: 'Reads the extended card, for signed-in callers',
};

/** An event stream: OpenAPI 3.1 has no words for its events, hence the member of our own. */
const events = (of: JsonSchema): object => ({
  'text/event-stream': { schema: { type: 'string' }, 'x-event-schema': of },
});
const json = (schema: JsonSchema, ...types: readonly string[]): object =>
  Object.fromEntries(['application/json', ...types].map((type) => [type, { schema }]));

/** What a request and a success of an operation look like in each HTTP+JSON binding. */
interface Shapes {
  readonly input: (operation: Operation) => JsonSchema;
  readonly output: (operation: Operation) => JsonSchema;
  /** Members of a request that are query parameters where there is no body. */
  readonly query: (operation: Operation) => readonly (readonly [name: string, schema: JsonSchema])[];
  readonly types: readonly string[];
}

function shapesOf(messages: MessageSchemas): { readonly [D in HttpDialect]: Shapes } {
  // 0.3's form is that of package a2a.v1, which differs in details; its own specification describes it.
  const v03 = ref('V03Object');
  return {
    '1.0': {
      input: (operation) => messages.of(typesOf(operation).input),
      output: (operation) => messages.of(typesOf(operation).output),
      query: (operation) =>
        typesOf(operation).input.fields.map((field) => [field.jsonName, messages.field(field)] as const),
      types: ['application/a2a+json'],
    },
    '0.3-rest': {
      input: () => v03,
      output: () => v03,
      query: (operation) => (operation === 'GetTask' ? [['historyLength', { type: 'integer' }]] : []),
      types: [],
    },
  };
}

/** Headers that messages may come with, in every dialect. */
const ofSends = (operation: Operation): object[] =>
  SENDS.has(operation) ? [parameter('extensions'), parameter('idempotencyKey')] : [];

const TAGS: { readonly [D in HttpDialect]: string } = { '1.0': 'HTTP+JSON 1.0', '0.3-rest': 'HTTP+JSON 0.3' };

function addRoute(paths: Paths, dialect: HttpDialect, operation: Operation, route: HttpRoute, shapes: Shapes): void {
  const { streaming, status } = OPERATIONS[operation];
  const { verb, path } = route;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  const output = shapes.output(operation);
  const query = verb === 'POST' ? [] : shapes.query(operation).filter(([name]) => !inPath.includes(name));
  const body =
    verb === 'POST'
      ? {
          requestBody: {
            // The path says it all where nothing else is required.
            required: SENDS.has(operation) || operation === 'CreateTaskPushNotificationConfig',
            content: json(shapes.input(operation), ...shapes.types),
          },
        }
      : {};
  const content = streaming ? events(output) : json(output, ...shapes.types);
  const address = `${BASE}${path}`;
  const described = {
    operationId: `${operation} ${dialect} ${verb}`.replaceAll(/[^A-Za-z0-9]+/g, '_'),
    summary: SUMMARIES[operation],
    tags: [TAGS[dialect]],
    parameters: [
      parameter('agentId'),
      parameter('version'),
      ...ofSends(operation),
      ...(streaming ? [parameter('lastEventId')] : []),
      ...inPath.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...query.map(([name, schema]) => ({ name, in: 'query', schema })),
    ],
    ...body,
    responses: {
      [status]: status === 204 ? { description: 'Done' } : { description: 'Success', content },
      default: errorOf(dialect),
    },
  };
  paths[address] = { ...paths[address], [verb.toLowerCase()]: described };
}

function addShim(paths: Paths, path: string, operation: Operation): void {
  const { streaming, jsonRpc } = OPERATIONS[operation];
  const { params, result } = EARLY_SHAPES[path]!;
  // JSON-RPC over HTTP answers its errors with 200.
  const answer = { anyOf: [bareOrEnveloped(ref(result), 'result'), ref('JsonRpcFailure')] };
  paths[`${BASE}${path}`] = {
    post: {
      operationId: `early_${String(jsonRpc.early).replaceAll('/', '_')}`,
      summary: SUMMARIES[operation],
      tags: ['Early era'],
      parameters: [
        parameter('agentId'),
        parameter('version'),
        ...ofSends(operation),
        ...(streaming ? [parameter('lastEventId')] : []),
      ],
      requestBody: {
        required: true,
        content: json(bareOrEnveloped(ref(params), 'params', { method: { const: jsonRpc.early } })),
      },
      responses: {
        '200': { description: 'Success', content: streaming ? events(answer) : json(answer) },
        '204': { description: 'An envelope without an id was carried out' },
        default: errorOf('early'),
      },
    },
  };
}

/**
 * The OpenAPI 3.1 description of the HTTP doors of A2A: the HTTP+JSON bindings, the early era's paths, and the cards. Made
 * from the operation table that routes requests, and from the protobuf that gRPC speaks, so that it cannot fall behind.
 */
export function openApiDocument(version: string): object {
  const messages = new MessageSchemas();
  const shapes = shapesOf(messages);
  const paths: Paths = {};
  for (const operation of OPERATION_NAMES) {
    for (const dialect of HTTP_DIALECTS) {
      for (const route of OPERATIONS[operation].http[dialect])
        addRoute(paths, dialect, operation, route, shapes[dialect]);
    }
  }
  for (const [path, operation] of Object.entries(SHIMS)) addShim(paths, path, operation);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rollcall: A2A over HTTP',
      version,
      description:
        'Each agent has a base URL of its own. Paths of 1.0 may also have the tenant, which is the id of the agent, after it: `/a2a/{agentId}/{agentId}/message:send`.',
    },
    servers: [{ url: '/' }],
    security: [{}, { bearer: [] }],
    paths: { ...paths, ...CARD_PATHS },
    components: {
      parameters: COMMON_PARAMETERS,
      schemas: { ...messages.schemas, ...EARLY_SCHEMAS, ...ERROR_SCHEMAS },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}
