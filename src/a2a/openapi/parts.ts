import type { DialectName } from '../../protocol/a2a/dialects/index.ts';
import type { JsonSchema } from '../../protocol/a2a/json-schemas.ts';

/** A reference to a schema of the document. */
export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

const header = (name: string, description: string) => ({ name, in: 'header', description, schema: { type: 'string' } });

/** Parameters that several operations have. */
export const COMMON_PARAMETERS = {
  agentId: { name: 'agentId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
  version: header(
    'A2A-Version',
    'Must agree with the path: 1.0, 0.3 under /v1, 0.1 on the early paths. May be left out.',
  ),
  extensions: header('A2A-Extensions', 'URIs of the A2A extensions that the caller speaks, separated by commas.'),
  idempotencyKey: header('Idempotency-Key', 'The same key gets the same task, for 24 hours and in any state.'),
  lastEventId: header('Last-Event-ID', 'Goes on after this event of the stream, without the task first.'),
} as const;

export const parameter = (name: keyof typeof COMMON_PARAMETERS): object => ({
  $ref: `#/components/parameters/${name}`,
});

const object = (properties: Record<string, JsonSchema>, required: readonly string[]): JsonSchema => ({
  type: 'object',
  properties,
  required,
});

/** What every description needs besides the messages of 1.0. */
export const ERROR_SCHEMAS: { readonly [name: string]: JsonSchema } = {
  V03Object: {
    type: 'object',
    description: 'An object of package a2a.v1 in ProtoJSON: see the specification of A2A 0.3.',
  },
  Error: object(
    {
      error: object(
        {
          code: { type: 'integer', description: 'The HTTP status.' },
          status: { type: 'string', description: 'The name of the gRPC status.' },
          message: { type: 'string' },
          details: {
            type: 'array',
            minItems: 1,
            items: object({ '@type': { type: 'string' }, reason: { type: 'string' } }, ['@type']),
          },
        },
        ['code', 'status', 'message', 'details'],
      ),
    },
    ['error'],
  ),
  JsonRpcFailure: object({ jsonrpc: { const: '2.0' }, id: {}, error: ref('JsonRpcError') }, ['jsonrpc', 'error']),
  EarlyError: { anyOf: [ref('JsonRpcError'), ref('JsonRpcFailure')] },
};

const ERRORS: { readonly [D in DialectName]: string } = {
  '1.0': 'Error',
  '0.3': 'EarlyError',
  '0.3-rest': 'JsonRpcError',
  early: 'EarlyError',
};

/** The answer of a dialect when something is wrong. */
export const errorOf = (dialect: DialectName): object => ({
  description: 'What is wrong',
  content: { 'application/json': { schema: ref(ERRORS[dialect]) } },
});

const cardPath = (summary: string, path: string): object => ({
  get: {
    operationId: `card_${path.replaceAll(/[^A-Za-z]+/g, '_')}`,
    summary,
    tags: ['Cards'],
    parameters: [parameter('agentId'), parameter('version')],
    responses: {
      '200': {
        description: 'The card, in the form of the version that is asked for',
        content: { 'application/json': { schema: object({ name: { type: 'string' } }, ['name', 'skills']) } },
      },
      default: {
        description: 'What is wrong (RFC 9457)',
        content: {
          'application/problem+json': {
            schema: object({ title: { type: 'string' }, status: { type: 'integer' } }, ['title', 'status']),
          },
        },
      },
    },
  },
});

/** Where the cards are, below either base. */
export const CARD_PATHS: Readonly<Record<string, object>> = Object.fromEntries(
  ['/a2a/{agentId}', '/agents/{agentId}'].flatMap((base) =>
    [
      ['/.well-known/agent-card.json', 'The card, for clients of 0.3 and 1.0'],
      ['/.well-known/agent.json', 'The card, for clients of the early era and 0.2'],
      ['/agent/authenticatedExtendedCard', 'The extended card, where clients of 0.2 ask for it'],
    ].map(([path, summary]) => [`${base}${path}`, cardPath(summary!, `${base}${path}`)]),
  ),
);
