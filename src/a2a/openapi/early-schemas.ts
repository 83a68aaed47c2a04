import type { JsonSchema } from '../../protocol/a2a/json-schemas.ts';

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const text: JsonSchema = { type: 'string' };
const object = (properties: Record<string, JsonSchema>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const metadata: JsonSchema = { type: 'object' };

/** The objects of the early era (A2A v0.1.0), as the shims take and answer them. */
export const EARLY_SCHEMAS: { readonly [name: string]: JsonSchema } = {
  EarlyPart: {
    oneOf: [
      object({ type: { const: 'text' }, text, metadata }, ['type', 'text']),
      object(
        { type: { const: 'file' }, file: object({ name: text, mimeType: text, bytes: text, uri: text }), metadata },
        ['type', 'file'],
      ),
      object({ type: { const: 'data' }, data: { type: 'object' }, metadata }, ['type', 'data']),
    ],
  },
  EarlyMessage: object({ role: { enum: ['user', 'agent'] }, parts: listOf(ref('EarlyPart')), metadata }, [
    'role',
    'parts',
  ]),
  EarlyTaskState: {
    enum: ['submitted', 'working', 'input-required', 'completed', 'canceled', 'failed', 'unknown'],
  },
  EarlyTaskStatus: object(
    { state: ref('EarlyTaskState'), message: ref('EarlyMessage'), timestamp: { type: 'string', format: 'date-time' } },
    ['state'],
  ),
  EarlyArtifact: object(
    {
      name: text,
      description: text,
      parts: listOf(ref('EarlyPart')),
      index: { type: 'integer', minimum: 0 },
      append: { type: 'boolean' },
      lastChunk: { type: 'boolean' },
      metadata,
    },
    ['parts'],
  ),
  EarlyTask: object(
    {
      id: { ...text, description: 'The id that the client chose.' },
      sessionId: text,
      status: ref('EarlyTaskStatus'),
      artifacts: listOf(ref('EarlyArtifact')),
      history: listOf(ref('EarlyMessage')),
      metadata,
    },
    ['id', 'status'],
  ),
  EarlyEvent: {
    oneOf: [
      object({ id: text, status: ref('EarlyTaskStatus'), final: { type: 'boolean' }, metadata }, ['id', 'status']),
      object({ id: text, artifact: ref('EarlyArtifact'), metadata }, ['id', 'artifact']),
    ],
  },
  EarlyPushConfig: object(
    { url: text, token: text, authentication: object({ schemes: listOf(text), credentials: text }, ['schemes']) },
    ['url'],
  ),
  EarlySendParams: object(
    {
      id: { ...text, minLength: 1, maxLength: 255, description: 'Chosen by the client; repeat it to go on.' },
      sessionId: text,
      message: ref('EarlyMessage'),
      acceptedOutputModes: listOf(text),
      pushNotification: ref('EarlyPushConfig'),
      historyLength: { type: 'integer', minimum: 0 },
      metadata,
    },
    ['id', 'message'],
  ),
  EarlyTaskQuery: object({ id: text, historyLength: { type: 'integer', minimum: 0 }, metadata }, ['id']),
  EarlyTaskId: object({ id: text, metadata }, ['id']),
  EarlyTaskPushConfig: object({ id: text, pushNotificationConfig: ref('EarlyPushConfig') }, [
    'id',
    'pushNotificationConfig',
  ]),
  JsonRpcError: object({ code: { type: 'integer' }, message: text, data: {} }, ['code', 'message']),
};

/** What each shim takes and answers, by its path. */
export const EARLY_SHAPES: { readonly [path: string]: { readonly params: string; readonly result: string } } = {
  '/tasks/send': { params: 'EarlySendParams', result: 'EarlyTask' },
  '/tasks/sendSubscribe': { params: 'EarlySendParams', result: 'EarlyEvent' },
  '/tasks/get': { params: 'EarlyTaskQuery', result: 'EarlyTask' },
  '/tasks/cancel': { params: 'EarlyTaskId', result: 'EarlyTask' },
  '/tasks/pushNotification/set': { params: 'EarlyTaskPushConfig', result: 'EarlyTaskPushConfig' },
  '/tasks/pushNotification/get': { params: 'EarlyTaskId', result: 'EarlyTaskPushConfig' },
};

/** Bare, or in a JSON-RPC envelope: each path takes both, and answers in kind. */
export const bareOrEnveloped = (
  schema: JsonSchema,
  member: 'params' | 'result',
  more: JsonSchema = {},
): JsonSchema => ({
  anyOf: [
    schema,
    object({ jsonrpc: { const: '2.0' }, id: { type: ['string', 'integer', 'null'] }, ...more, [member]: schema }, [
      'jsonrpc',
      member,
    ]),
  ],
});
