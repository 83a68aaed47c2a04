import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { OPERATION_NAMES } from '../../src/protocol/a2a/methods.ts';
import type { Operation } from '../../src/protocol/a2a/requests.ts';
import { encodeCursor } from '../../src/registry/lists/cursor.ts';
import { data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { type Answered, type Binding, bindingsOf, type CallOptions } from './bindings.ts';
import { type ScriptedAgent, startScriptedAgent } from './scripted-agent.ts';
import { userMessage } from './support.ts';

const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const EXTENSION = 'https://extensions.example/required';

let app: App;
let strict: ScriptedAgent;
let bindings: ReturnType<typeof bindingsOf>;
let agentId: string;
let inactive: string;
let demanding: string;
/** It has been called, and is no more: its usage stands still. */
let resting: string;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  strict = await startScriptedAgent({
    capabilities: { streaming: true, extensions: [{ uri: EXTENSION, required: true }] },
  });
  app = await startTestApp({ ...JWT_SETTINGS, EGRESS_ALLOW: '127.0.0.1/32' });
  bindings = bindingsOf(app);
  tokens['owner'] = await tokenFor('11111111-1111-4111-8111-111111111111');
  tokens['stranger'] = await tokenFor('22222222-2222-4222-8222-222222222222');
  tokens['reader'] = await tokenFor('11111111-1111-4111-8111-111111111111', ['registry:read', 'tasks:read']);
  const asOwner = (query: string, variables: object = {}) => data(app.addresses.url, query, variables, tokens['owner']);
  const register = async (name: string): Promise<string> =>
    (
      await asOwner(
        'mutation($name: String!) { registerAgent(input: { name: $name, description: "D", executionType: ECHO }) { id } }',
        { name },
      )
    )['registerAgent'].id;
  agentId = await register('At work');
  inactive = await register('Out of work');
  resting = await register('At rest');
  await asOwner('mutation($id: ID!) { setAgentStatus(input: { id: $id, status: INACTIVE }) { id } }', { id: inactive });
  const imported = await asOwner('mutation($url: String!) { importAgent(input: { url: $url }) { id } }', {
    url: strict.url,
  });
  demanding = imported['importAgent'].id;
  await call(bindings.all[0]!, 'SendMessage', { message: userMessage('hi') }, {}, resting);
});
afterAll(async () => {
  bindings?.close();
  await app?.close();
  await strict?.close();
});

const call = (binding: Binding, operation: Operation, params: object, options: CallOptions = {}, agent = agentId) =>
  binding.call(operation, agent, params, { token: tokens['owner'], ...options });

/** A task of the owner's in the state that the text leads to. */
async function taskOf(binding: Binding, text: string, more: object = {}): Promise<any> {
  const { result } = await call(binding, 'SendMessage', { message: userMessage(text, more) });
  return result.task;
}
const done = (binding: Binding) => taskOf(binding, 'hi');
const asking = (binding: Binding) => taskOf(binding, 'ask: more?');
const hook = (taskId: string, id?: string) => ({
  taskId,
  url: 'http://127.0.0.1:9/hook',
  token: 't',
  authentication: { scheme: 'Bearer', credentials: 'c' },
  ...(id === undefined ? {} : { id }),
});

/** An answer without what differs from call to call, and without the empty members that protobuf leaves out. */
function comparable(value: unknown, ids = new Map<string, string>()): unknown {
  if (typeof value === 'string') {
    if (/^\d{4}-\d\d-\d\dT/.test(value)) return 'a moment';
    return value.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => {
      if (!ids.has(id)) ids.set(id, `id ${ids.size}`);
      return ids.get(id)!;
    });
  }
  if (Array.isArray(value)) return value.map((it) => comparable(it, ids));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .filter(([, it]) => it !== '' && it !== false && it !== 0 && !(Array.isArray(it) && it.length === 0))
    .sort(([a], [b]) => a.localeCompare(b));
  return Object.fromEntries(
    kept.map(([name, it]) => [name, name === 'nextPageToken' ? 'a token' : comparable(it, ids)]),
  );
}

/** Does the same over every binding, and expects the same of each. */
async function overAll(act: (binding: Binding) => Promise<Answered>): Promise<Answered> {
  const answers: Answered[] = [];
  for (const binding of bindings.all) answers.push(await act(binding));
  const [first, ...others] = answers.map(({ result, events, error: { reason, field, message } = {} as never }) =>
    // Protobuf does not tell what is empty from what is missing: the field is the same, and the text may not be.
    comparable({ result, events, reason, field, message: field === undefined ? message : undefined }),
  );
  for (const [i, other] of others.entries()) expect(other, bindings.all[i + 1]!.name).toEqual(first);
  return answers[0]!;
}

/** A call that succeeds, and what must be in the answer. */
const SUCCESSES: readonly {
  readonly name: string;
  readonly operation: Operation;
  readonly act: (binding: Binding) => Promise<Answered>;
  readonly expected: object;
}[] = [
  {
    name: 'a task',
    operation: 'SendMessage',
    act: (b) => call(b, 'SendMessage', { message: userMessage('hi') }),
    expected: { result: { task: { status: { state: 'TASK_STATE_COMPLETED' }, artifacts: [{}], history: [{}] } } },
  },
  {
    name: 'a message',
    operation: 'SendMessage',
    act: (b) => call(b, 'SendMessage', { message: userMessage('message: hi') }),
    expected: { result: { message: { role: 'ROLE_AGENT', parts: [{ text: 'hi' }] } } },
  },
  {
    name: 'a task without its history',
    operation: 'SendMessage',
    act: (b) => call(b, 'SendMessage', { message: userMessage('hi'), configuration: { historyLength: 0 } }),
    expected: { result: { task: { artifacts: [{}] } } },
  },
  {
    name: 'what follows an answer',
    operation: 'SendMessage',
    async act(b) {
      const { id: taskId, contextId } = await asking(b);
      return call(b, 'SendMessage', { message: userMessage('this', { taskId, contextId }) });
    },
    expected: { result: { task: { status: { state: 'TASK_STATE_COMPLETED' } } } },
  },
  {
    name: 'a stream of a task',
    operation: 'SendStreamingMessage',
    act: (b) => call(b, 'SendStreamingMessage', { message: userMessage('stream: a b') }),
    expected: { events: [{ task: {} }, { statusUpdate: {} }, { artifactUpdate: {} }, { artifactUpdate: {} }, {}] },
  },
  {
    name: 'a stream of a message',
    operation: 'SendStreamingMessage',
    act: (b) => call(b, 'SendStreamingMessage', { message: userMessage('message: hi') }),
    expected: { events: [{ message: { parts: [{ text: 'hi' }] } }] },
  },
  {
    name: 'a task',
    operation: 'GetTask',
    act: async (b) => call(b, 'GetTask', { id: (await done(b)).id }),
    expected: { result: { history: [{}] } },
  },
  {
    name: 'a task with its last message',
    operation: 'GetTask',
    act: async (b) => call(b, 'GetTask', { id: (await done(b)).id, historyLength: 1 }),
    expected: { result: { history: [{}] } },
  },
  {
    name: 'a page, with more to come',
    operation: 'ListTasks',
    async act(b) {
      const contextId = randomUUID();
      for (const text of ['a', 'b']) await taskOf(b, text, { contextId });
      return call(b, 'ListTasks', { contextId, pageSize: 1, includeArtifacts: true, historyLength: 1 });
    },
    expected: {
      result: { tasks: [{ artifacts: [{}] }], pageSize: 1, totalSize: 2, nextPageToken: expect.any(String) },
    },
  },
  {
    name: 'nothing',
    operation: 'ListTasks',
    act: (b) => call(b, 'ListTasks', { contextId: 'none', status: 'TASK_STATE_FAILED' }),
    expected: { result: { pageSize: 50 } },
  },
  {
    name: 'the cancelled task',
    operation: 'CancelTask',
    act: async (b) => call(b, 'CancelTask', { id: (await asking(b)).id }),
    expected: { result: { status: { state: 'TASK_STATE_CANCELED' } } },
  },
  {
    name: 'the task first',
    operation: 'SubscribeToTask',
    act: async (b) => call(b, 'SubscribeToTask', { id: (await asking(b)).id }, { take: 1 }),
    expected: { events: [{ task: { status: { state: 'TASK_STATE_INPUT_REQUIRED' } } }] },
  },
  {
    name: 'the new webhook',
    operation: 'CreateTaskPushNotificationConfig',
    act: async (b) => call(b, 'CreateTaskPushNotificationConfig', hook((await asking(b)).id)),
    expected: { result: { url: 'http://127.0.0.1:9/hook' } },
  },
  {
    name: 'a webhook',
    operation: 'GetTaskPushNotificationConfig',
    async act(b) {
      const { id: taskId } = await asking(b);
      await call(b, 'CreateTaskPushNotificationConfig', hook(taskId, 'mine'));
      return call(b, 'GetTaskPushNotificationConfig', { taskId, id: 'mine' });
    },
    expected: { result: { id: 'mine' } },
  },
  {
    name: 'the webhooks',
    operation: 'ListTaskPushNotificationConfigs',
    async act(b) {
      const { id: taskId } = await asking(b);
      for (const id of ['a', 'b']) await call(b, 'CreateTaskPushNotificationConfig', hook(taskId, id));
      return call(b, 'ListTaskPushNotificationConfigs', { taskId });
    },
    expected: { result: { configs: [{}, {}] } },
  },
  {
    name: 'nothing, and again',
    operation: 'DeleteTaskPushNotificationConfig',
    async act(b) {
      const { id: taskId } = await asking(b);
      await call(b, 'CreateTaskPushNotificationConfig', hook(taskId, 'mine'));
      await call(b, 'DeleteTaskPushNotificationConfig', { taskId, id: 'mine' });
      const { error } = await call(b, 'DeleteTaskPushNotificationConfig', { taskId, id: 'mine' });
      return { headers: {}, ...(error === undefined ? {} : { error }) };
    },
    expected: {},
  },
  {
    name: 'the extended card',
    operation: 'GetExtendedAgentCard',
    async act(b) {
      await app.core.registry.usage.flush();
      return call(b, 'GetExtendedAgentCard', {}, {}, resting);
    },
    expected: { result: { name: 'At rest', capabilities: { extendedAgentCard: true } } },
  },
];

describe('every operation of A2A 1.0 answers the same over JSON-RPC, HTTP+JSON and gRPC', () => {
  test('there is a case for each', () => {
    expect(new Set(SUCCESSES.map(({ operation }) => operation))).toEqual(new Set(OPERATION_NAMES));
  });

  test.each(SUCCESSES)('$operation: $name', async ({ act, expected }) => {
    const answer = await overAll(act);
    expect(answer.error).toBeUndefined();
    expect(answer).toMatchObject(expected);
  });
});

/** The three codes of each reason (specification 1.0 §5.4): JSON-RPC, HTTP, gRPC. */
const CODES: Readonly<Record<string, readonly [jsonRpc: number, http: number, grpc: number]>> = {
  TASK_NOT_FOUND: [-32001, 404, 5],
  TASK_NOT_CANCELABLE: [-32002, 400, 9],
  UNSUPPORTED_OPERATION: [-32004, 400, 9],
  EXTENSION_SUPPORT_REQUIRED: [-32008, 400, 9],
  VERSION_NOT_SUPPORTED: [-32009, 400, 9],
  INVALID_PARAMS: [-32602, 400, 3],
  NOT_FOUND: [-32602, 404, 5],
  UNAUTHENTICATED: [-32600, 401, 16],
  FORBIDDEN: [-32600, 403, 7],
  EGRESS_DENIED: [-32602, 403, 7],
};
/** Codes of ours that share a reason with one of A2A's, under an HTTP status of their own. */
const OWN_HTTP: Readonly<Record<string, number>> = { 'an agent that is inactive': 409 };

/** Params with which each operation would succeed for the owner of the task. */
const PARAMS: { readonly [O in Operation]: (taskId: string) => object } = {
  SendMessage: (taskId) => ({ message: userMessage('hi', { taskId }) }),
  SendStreamingMessage: (taskId) => ({ message: userMessage('hi', { taskId }) }),
  GetTask: (id) => ({ id }),
  ListTasks: () => ({}),
  CancelTask: (id) => ({ id }),
  SubscribeToTask: (id) => ({ id }),
  CreateTaskPushNotificationConfig: (taskId) => hook(taskId),
  GetTaskPushNotificationConfig: (taskId) => ({ taskId, id: 'x' }),
  ListTaskPushNotificationConfigs: (taskId) => ({ taskId }),
  DeleteTaskPushNotificationConfig: (taskId) => ({ taskId, id: 'x' }),
  GetExtendedAgentCard: () => ({}),
};
const ABOUT_A_TASK = OPERATION_NAMES.filter((it) => it !== 'ListTasks' && it !== 'GetExtendedAgentCard');
const SENDS = ['SendMessage', 'SendStreamingMessage'] as const;

interface Failure {
  readonly name: string;
  readonly operation: Operation;
  readonly reason: string;
  readonly field?: string;
  readonly act: (binding: Binding) => Promise<Answered>;
}

const failing = (
  name: string,
  operations: readonly Operation[],
  reason: string,
  act: (binding: Binding, operation: Operation) => Promise<Answered>,
): Failure[] => operations.map((operation) => ({ name, operation, reason, act: (b) => act(b, operation) }));

const wrong = (operation: Operation, field: string, name: string, params: () => object): Failure => ({
  name,
  operation,
  reason: 'INVALID_PARAMS',
  field,
  act: (b) => call(b, operation, params()),
});

const FAILURES: readonly Failure[] = [
  ...failing('a task that there is not', ABOUT_A_TASK, 'TASK_NOT_FOUND', (b, it) => call(b, it, PARAMS[it](UNKNOWN))),
  ...failing("another's task", ABOUT_A_TASK, 'TASK_NOT_FOUND', async (b, it) =>
    call(b, it, PARAMS[it]((await asking(b)).id), { token: tokens['stranger'] }),
  ),
  ...failing('the task of another agent', ABOUT_A_TASK, 'TASK_NOT_FOUND', async (b, it) =>
    call(b, it, PARAMS[it]((await asking(b)).id), { headers: { 'a2a-extensions': EXTENSION } }, demanding),
  ),
  ...failing('nobody signed in', OPERATION_NAMES, 'UNAUTHENTICATED', (b, it) =>
    call(b, it, PARAMS[it](UNKNOWN), { token: undefined }),
  ),
  ...failing('a token that is none', OPERATION_NAMES, 'UNAUTHENTICATED', (b, it) =>
    call(b, it, PARAMS[it](UNKNOWN), { token: 'wrong' }),
  ),
  ...failing('a token without the scope', [...SENDS, 'CancelTask'], 'FORBIDDEN', async (b, it) =>
    call(b, it, PARAMS[it]((await asking(b)).id), { token: tokens['reader'] }),
  ),
  ...failing('another version', OPERATION_NAMES, 'VERSION_NOT_SUPPORTED', (b, it) =>
    call(b, it, PARAMS[it](UNKNOWN), { headers: { 'a2a-version': '7.0' } }),
  ),
  ...failing('a version that is none', OPERATION_NAMES, 'VERSION_NOT_SUPPORTED', (b, it) =>
    call(b, it, PARAMS[it](UNKNOWN), { headers: { 'a2a-version': 'new' } }),
  ),
  ...failing('a task that has ended', SENDS, 'UNSUPPORTED_OPERATION', async (b, it) =>
    call(b, it, PARAMS[it]((await done(b)).id)),
  ),
  ...failing('a task that has ended', ['SubscribeToTask'], 'UNSUPPORTED_OPERATION', async (b, it) =>
    call(b, it, PARAMS[it]((await done(b)).id)),
  ),
  ...failing('a task that has ended', ['CancelTask'], 'TASK_NOT_CANCELABLE', async (b, it) =>
    call(b, it, PARAMS[it]((await done(b)).id)),
  ),
  ...failing('an agent that there is not', [...SENDS, 'ListTasks', 'GetExtendedAgentCard'], 'NOT_FOUND', (b, it) =>
    call(b, it, it === 'ListTasks' || it === 'GetExtendedAgentCard' ? {} : { message: userMessage('hi') }, {}, UNKNOWN),
  ),
  ...failing('an agent that is inactive', SENDS, 'UNSUPPORTED_OPERATION', (b, it) =>
    call(b, it, { message: userMessage('hi') }, {}, inactive),
  ),
  ...failing('an agent that requires an extension', SENDS, 'EXTENSION_SUPPORT_REQUIRED', (b, it) =>
    call(b, it, { message: userMessage('hi') }, {}, demanding),
  ),
  ...failing('a context that is not the one of the task', SENDS, 'INVALID_PARAMS', async (b, it) =>
    call(b, it, { message: userMessage('hi', { taskId: (await asking(b)).id, contextId: 'other' }) }),
  ),
  ...failing('an Idempotency-Key that is too long', SENDS, 'INVALID_PARAMS', (b, it) =>
    call(b, it, { message: userMessage('hi') }, { headers: { 'idempotency-key': 'x'.repeat(256) } }),
  ),
  ...SENDS.flatMap((it) => [
    wrong(it, 'message', 'no message', () => ({})),
    wrong(it, 'message.parts', 'no parts', () => ({ message: userMessage('', { parts: [] }) })),
    wrong(it, 'message.messageId', 'a message without an id', () => ({
      message: userMessage('hi', { messageId: '' }),
    })),
    wrong(it, 'message.role', "an agent's message", () => ({ message: userMessage('hi', { role: 'ROLE_AGENT' }) })),
    wrong(it, 'message.contextId', 'a context that is no text for a database', () => ({
      message: userMessage('hi', { contextId: 'x'.repeat(256) }),
    })),
  ]),
  wrong('ListTasks', 'pageSize', 'a page of none', () => ({ pageSize: 0 })),
  wrong('ListTasks', 'pageSize', 'a page that is too large', () => ({ pageSize: 101 })),
  wrong('ListTasks', 'historyLength', 'a negative history', () => ({ historyLength: -1 })),
  wrong('GetTask', 'historyLength', 'a negative history', () => ({ id: UNKNOWN, historyLength: -1 })),
  wrong('ListTasks', 'pageToken', 'a page token that is none', () => ({ pageToken: 'x' })),
  wrong('ListTasks', 'pageToken', 'a page token of another list', () => ({
    pageToken: encodeCursor('name', ['a', UNKNOWN]),
  })),
  ...failing('a webhook that there is not', ['GetTaskPushNotificationConfig'], 'TASK_NOT_FOUND', async (b, it) =>
    call(b, it, PARAMS[it]((await asking(b)).id)),
  ),
  ...failing('a webhook in a private network', ['CreateTaskPushNotificationConfig'], 'EGRESS_DENIED', async (b, it) =>
    call(b, it, { ...hook((await asking(b)).id), url: 'http://10.0.0.1/' }),
  ),
];

describe('every refusal is the same over JSON-RPC, HTTP+JSON and gRPC', () => {
  test.each(FAILURES)('$operation: $name', async ({ name, reason, field, act }) => {
    const { error } = await overAll(act);
    expect(error).toMatchObject({ reason, ...(field === undefined ? {} : { field }) });
    const [jsonRpc, http, grpc] = CODES[reason]!;
    for (const binding of bindings.all) {
      const { error: said } = await act(binding);
      if (binding.name === 'JSON-RPC') expect(said?.code).toBe(jsonRpc);
      else expect(said?.status, binding.name).toBe(binding.name === 'gRPC' ? grpc : (OWN_HTTP[name] ?? http));
    }
  });
});
