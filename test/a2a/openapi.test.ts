import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { eventsOf, userMessage } from './support.ts';

const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const ROOT = 'openapi.json';

let app: App;
let document: Record<string, any>;
let ajv: Ajv2020;
let agentId: string;
let token: string;

beforeAll(async () => {
  app = await startTestApp({ ...JWT_SETTINGS, EGRESS_ALLOW: '127.0.0.1/32' });
  token = await tokenFor('11111111-1111-4111-8111-111111111111');
  const { registerAgent } = await data(
    app.addresses.url,
    'mutation { registerAgent(input: { name: "Described", executionType: ECHO }) { id } }',
    {},
    token,
  );
  agentId = registerAgent.id;
  const response = await fetch(`${app.addresses.url}a2a/openapi.json`);
  expect(response.status).toBe(200);
  document = (await response.json()) as Record<string, any>;
  ajv = new Ajv2020({ strict: false, allErrors: true });
  // CommonJS: the default export is the function, or holds it.
  const add = addFormats as unknown as ((a: Ajv2020) => void) & { default?: (a: Ajv2020) => void };
  (add.default ?? add)(ajv);
  ajv.addSchema(document, ROOT);
});
afterAll(() => app?.close());

const pointer = (...path: string[]): string =>
  `${ROOT}#/${path.map((it) => encodeURIComponent(it.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
const validator = (...path: string[]): ValidateFunction => {
  const validate = ajv.getSchema(pointer(...path));
  if (validate === undefined) throw new Error(`The description has nothing at ${path.join(' ')}`);
  return validate;
};
function expectValid(value: unknown, ...path: string[]): void {
  const validate = validator(...path);
  const valid = validate(value);
  expect(valid, `${path.join(' ')}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`).toBe(true);
}

/** Every operation that is described, as `POST /a2a/{agentId}/message:send`. */
const described = (): string[] =>
  Object.entries(document['paths']).flatMap(([path, item]) =>
    Object.keys(item as object).map((verb) => `${verb.toUpperCase()} ${path}`),
  );

/** What specification 1.0 §5.3, 0.3 and the design list, written down by hand. */
const EXPECTED = [
  'POST /message:send',
  'POST /message:stream',
  'GET /tasks/{id}',
  'GET /tasks',
  'POST /tasks/{id}:cancel',
  'GET /tasks/{id}:subscribe',
  'POST /tasks/{id}:subscribe',
  'POST /tasks/{taskId}/pushNotificationConfigs',
  'GET /tasks/{taskId}/pushNotificationConfigs',
  'GET /tasks/{taskId}/pushNotificationConfigs/{id}',
  'DELETE /tasks/{taskId}/pushNotificationConfigs/{id}',
  'GET /extendedAgentCard',
  'POST /v1/message:send',
  'POST /v1/message:stream',
  'GET /v1/tasks/{id}',
  'POST /v1/tasks/{id}:cancel',
  'GET /v1/tasks/{id}:subscribe',
  'POST /v1/tasks/{id}:subscribe',
  'POST /v1/tasks/{taskId}/pushNotificationConfigs',
  'GET /v1/tasks/{taskId}/pushNotificationConfigs',
  'GET /v1/tasks/{taskId}/pushNotificationConfigs/{id}',
  'DELETE /v1/tasks/{taskId}/pushNotificationConfigs/{id}',
  'GET /v1/card',
  'POST /tasks/send',
  'POST /tasks/sendSubscribe',
  'POST /tasks/get',
  'POST /tasks/cancel',
  'POST /tasks/pushNotification/set',
  'POST /tasks/pushNotification/get',
  'GET /.well-known/agent-card.json',
  'GET /.well-known/agent.json',
  'GET /agent/authenticatedExtendedCard',
];

describe('the description', () => {
  test('has every route, and no others', () => {
    const below = described().flatMap((it) => {
      const [verb, path] = it.split(' ') as [string, string];
      return path.startsWith('/a2a/{agentId}') ? [`${verb} ${path.slice('/a2a/{agentId}'.length)}`] : [];
    });
    expect(below.sort()).toEqual([...EXPECTED].sort());
  });

  test('names what the server answers, and the server answers nothing else', async () => {
    const answers = async (verb: string, path: string): Promise<boolean> => {
      const target = path.replace('{agentId}', agentId).replaceAll(/\{\w+\}/g, UNKNOWN);
      const response = await fetch(new URL(target, app.addresses.url), {
        method: verb,
        headers: {
          authorization: `Bearer ${token}`,
          ...(verb === 'POST' ? { 'content-type': 'application/json' } : {}),
        },
        ...(verb === 'POST' ? { body: '{}' } : {}),
      });
      return !/METHOD_NOT_FOUND|There is no operation at|There is nothing at/.test(await response.text());
    };
    const known = new Set(described());
    for (const path of Object.keys(document['paths'])) {
      for (const verb of ['GET', 'POST', 'DELETE']) {
        const it = `${verb} ${path}`;
        // The early paths of tasks look like tasks of 1.0, whose ids may be any word.
        if (!known.has(it) && /\{agentId\}\/tasks\/(send|sendSubscribe|get|cancel)$/.test(path)) continue;
        expect([it, await answers(verb, path)]).toEqual([it, known.has(it)]);
      }
    }
  });

  test('refers to nothing that is missing, and gives each operation a name of its own', () => {
    for (const name of Object.keys(document['components'].schemas)) validator('components', 'schemas', name);
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
    expect(refs.length).toBeGreaterThan(50);
    for (const [, group, name] of refs) expect(document['components'][group!]).toHaveProperty(name!);
    const ids = Object.values(document['paths']).flatMap((item) =>
      Object.values(item as Record<string, { operationId: string }>).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});

/** Calls as it is described, and holds request and answer against the description. */
async function called(
  verb: string,
  path: string,
  values: Record<string, string> = {},
  body?: unknown,
  anonymous = false,
) {
  const template = `/a2a/{agentId}${path}`;
  const operation = ['paths', template, verb.toLowerCase()];
  if (body !== undefined) expectValid(body, ...operation, 'requestBody', 'content', 'application/json', 'schema');
  const target = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => ({ agentId, ...values })[name] ?? UNKNOWN);
  const response = await fetch(new URL(target, app.addresses.url), {
    method: verb,
    headers: { 'content-type': 'application/json', ...(anonymous ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const responses = document['paths'][template][verb.toLowerCase()].responses;
  const status = String(response.status) in responses ? String(response.status) : 'default';
  const content = [...operation, 'responses', status, 'content'];
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const events = await eventsOf(response);
    expect(events.length).toBeGreaterThan(0);
    for (const event of events) expectValid(event.data, ...content, 'text/event-stream', 'x-event-schema');
    return { status: response.status, body: events.map((it) => it.data) as any };
  }
  const text = await response.text();
  if (text === '') return { status: response.status, body: undefined };
  const answer = JSON.parse(text);
  expectValid(answer, ...content, 'application/json', 'schema');
  return { status: response.status, body: answer };
}

const EVERYTHING = [
  { text: 'a' },
  { data: null },
  { data: { x: [1] }, metadata: { y: 1 } },
  { raw: 'AA==', filename: 'f', mediaType: 'application/octet-stream' },
  { url: 'https://files.example/f' },
];

describe('real answers are as described', () => {
  test('in HTTP+JSON 1.0', async () => {
    const sent = await called('POST', '/message:send', {}, { message: userMessage('', { parts: EVERYTHING }) });
    expect(sent.status).toBe(200);
    const { id } = sent.body.task;
    await called('POST', '/message:send', {}, { message: userMessage('message: hi') });
    const asked = await called('POST', '/message:stream', {}, { message: userMessage('ask: more?') });
    const taskId = asked.body[0].task.id as string;
    await called(
      'POST',
      '/message:stream',
      {},
      { message: userMessage('stream: a b'), configuration: { historyLength: 0 } },
    );
    expect((await called('GET', '/tasks/{id}', { id })).body.id).toBe(id);
    expect((await called('GET', '/tasks')).body.tasks.length).toBeGreaterThan(2);
    const hook = { url: 'http://127.0.0.1:9/', authentication: { scheme: 'Bearer' }, id: 'mine' };
    const configs = '/tasks/{taskId}/pushNotificationConfigs';
    expect((await called('POST', configs, { taskId }, hook)).status).toBe(201);
    expect((await called('GET', configs, { taskId })).body.configs).toHaveLength(1);
    expect((await called('GET', `${configs}/{id}`, { taskId, id: 'mine' })).status).toBe(200);
    expect((await called('DELETE', `${configs}/{id}`, { taskId, id: 'mine' })).status).toBe(204);
    expect((await called('POST', '/tasks/{id}:cancel', { id: taskId }, {})).body.status.state).toBe(
      'TASK_STATE_CANCELED',
    );
    expect((await called('GET', '/extendedAgentCard')).body.name).toBe('Described');
  });

  test('in HTTP+JSON 0.3', async () => {
    const message = { messageId: crypto.randomUUID(), role: 'ROLE_USER', content: [{ text: 'hi' }] };
    const { body } = await called('POST', '/v1/message:send', {}, { message });
    expect((await called('GET', '/v1/tasks/{id}', { id: body.task.id })).status).toBe(200);
    expect((await called('GET', '/v1/tasks/{id}')).status).toBe(404);
    expect((await called('GET', '/v1/card')).status).toBe(200);
  });

  test.each([
    ['bare', (_: string, params: object) => params],
    ['in an envelope', (method: string, params: object) => ({ jsonrpc: '2.0', id: 1, method, params })],
  ])('on the paths of the early era, %s', async (_, wrap) => {
    const id = crypto.randomUUID();
    const say = (text: string) => ({
      id,
      message: {
        role: 'user',
        parts: [
          { type: 'text', text },
          { type: 'data', data: { x: 1 } },
        ],
      },
    });
    const path = (name: string, params: object) => called('POST', `/${name}`, {}, wrap(name, params));
    expect((await path('tasks/send', say('ask: more?'))).status).toBe(200);
    const hook = { id, pushNotificationConfig: { url: 'http://127.0.0.1:9/' } };
    expect((await path('tasks/pushNotification/set', hook)).status).toBe(200);
    expect((await path('tasks/pushNotification/get', { id })).status).toBe(200);
    expect((await path('tasks/get', { id, historyLength: 3 })).status).toBe(200);
    expect((await path('tasks/cancel', { id })).status).toBe(200);
    await path('tasks/cancel', { id });
    const events = await path('tasks/sendSubscribe', { ...say('stream: a b'), id: crypto.randomUUID() });
    expect(events.body.length).toBeGreaterThan(2);
  });

  test('of cards', async () => {
    for (const path of [
      '/.well-known/agent-card.json',
      '/.well-known/agent.json',
      '/agent/authenticatedExtendedCard',
    ]) {
      expect((await called('GET', path)).status).toBe(200);
    }
  });

  test('when something is wrong', async () => {
    expect((await called('GET', '/tasks/{id}')).status).toBe(404);
    expect((await called('POST', '/message:send', {}, { message: userMessage('x', { taskId: UNKNOWN }) })).status).toBe(
      404,
    );
    expect((await called('POST', '/tasks/get', {}, { id: 'none' })).status).toBe(404);
    expect((await called('GET', '/tasks', {}, undefined, true)).status).toBe(401);
    expect((await called('POST', '/tasks/send', {}, { id: 'x', message: { role: 'user', parts: [] } })).status).toBe(
      400,
    );
  });
});

test('what the server would refuse is not as described', () => {
  const send = validator('components', 'schemas', 'SendMessageRequest');
  expect(send({ message: userMessage('hi') })).toBe(true);
  for (const more of [
    { parts: [] },
    { parts: [{}] },
    { parts: [{ text: 'a', url: 'b' }] },
    { role: 'me' },
    { messageId: 1 },
  ]) {
    expect(send({ message: userMessage('hi', more) }), JSON.stringify(more)).toBe(false);
  }
  expect(send({})).toBe(false);
  const early = validator('components', 'schemas', 'EarlySendParams');
  expect(early({ id: 'x', message: { role: 'user', parts: [{ type: 'text', text: 'a' }] } })).toBe(true);
  expect(early({ message: { role: 'user', parts: [] } })).toBe(false);
  expect(early({ id: 'x', message: { role: 'user', parts: [{ kind: 'text', text: 'a' }] } })).toBe(false);
});
