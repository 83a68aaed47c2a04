import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import type { Operation } from '../../src/protocol/a2a/requests.ts';
import { data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { bindingsOf } from './bindings.ts';
import { echoAgent, post, rpc, userMessage } from './support.ts';

const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const OWNER = '11111111-1111-4111-8111-111111111111';
const V1 = { 'a2a-version': '1.0' };

let app: App;
let root: string;
let privateAgent: string;
let publicAgent: string;
const as: Record<string, Record<string, string>> = {};

beforeAll(async () => {
  app = await startTestApp(JWT_SETTINGS);
  root = `${app.addresses.url}a2a/`;
  const tokens = {
    owner: await tokenFor(OWNER),
    stranger: await tokenFor('22222222-2222-4222-8222-222222222222'),
    reader: await tokenFor('33333333-3333-4333-8333-333333333333', ['registry:read', 'tasks:read']),
    admin: await tokenFor('44444444-4444-4444-8444-444444444444', ['tasks:read', 'tasks:admin']),
  };
  for (const [name, token] of Object.entries(tokens)) as[name] = { authorization: `Bearer ${token}`, ...V1 };
  const { registerAgent } = await data(
    app.addresses.url,
    'mutation { registerAgent(input: { name: "Private", executionType: ECHO, visibility: PRIVATE }) { id } }',
    {},
    tokens.owner,
  );
  privateAgent = registerAgent.id;
  publicAgent = await echoAgent(app);
});
afterAll(() => app?.close());

const taskOf = async (agent: string, who: string) =>
  (await post(`${root}${agent}`, rpc('SendMessage', { message: userMessage('ask: more?') }), as[who])).body['result']
    .task;

const withoutIds = (value: unknown): string => JSON.stringify(value).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…');

describe('who has not signed in', () => {
  test('is asked to, by status and by an answer in the dialect of the call', async () => {
    const body = rpc('SendMessage', { message: userMessage('hi') });
    for (const headers of [V1, { ...V1, authorization: 'Bearer wrong' }]) {
      const answer = await post(`${root}${publicAgent}`, body, headers);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.body).toMatchObject({ jsonrpc: '2.0', error: { data: [{ reason: 'UNAUTHENTICATED' }] } });
    }
    const rest = await fetch(`${root}${publicAgent}/tasks/${UNKNOWN}`);
    expect(rest.status).toBe(401);
    expect(await rest.json()).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } });
    const card = await post(`${root}${publicAgent}`, rpc('GetExtendedAgentCard'), V1);
    expect(card.status).toBe(401);
  });

  test('is told of nothing that is wrong with what they sent, whatever they asked for and by whatever binding', async () => {
    const wrong: readonly (readonly [Operation, object])[] = [
      ['SendMessage', {}],
      ['SendStreamingMessage', {}],
      ['GetTask', { id: 'x', historyLength: -1 }],
      ['ListTasks', { pageSize: -1 }],
      ['CancelTask', { id: '' }],
      ['SubscribeToTask', { id: '' }],
      ['CreateTaskPushNotificationConfig', { taskId: 'x' }],
      ['GetTaskPushNotificationConfig', { taskId: 'x', id: '' }],
      ['ListTaskPushNotificationConfigs', { taskId: 'x', pageSize: -1 }],
      ['DeleteTaskPushNotificationConfig', { taskId: 'x', id: '' }],
    ];
    const bindings = bindingsOf(app);
    for (const { name, call } of bindings.all) {
      for (const [operation, params] of wrong) {
        // An empty id is no path of HTTP+JSON.
        if (name === 'HTTP+JSON' && 'id' in params && params.id === '') continue;
        const { error } = await call(operation, publicAgent, params);
        expect(error, `${name} ${operation}`).toMatchObject({ reason: 'UNAUTHENTICATED' });
      }
    }
    const noAgent = await bindings.all[2]!.call('GetTask', '', { id: 'x' });
    expect(noAgent.error).toMatchObject({ reason: 'UNAUTHENTICATED' });
    bindings.close();
    expect((await post(`${root}${publicAgent}/message:send`, '{"broken')).status).toBe(401);
  });

  test('a wrong token is refused before the body is read', async () => {
    const answer = await post(`${root}${publicAgent}`, '{"broken', { ...V1, authorization: 'Bearer wrong' });
    expect(answer.status).toBe(401);
  });
});

describe('who may not', () => {
  test('a token without the scope is told which one', async () => {
    const answer = await post(
      `${root}${publicAgent}`,
      rpc('SendMessage', { message: userMessage('hi') }),
      as['reader'],
    );
    expect(answer.status).toBe(403);
    expect(answer.body['error'].message).toContain('tasks:send');
  });

  test('an agent that one may not see is like one that does not exist, in every operation', async () => {
    const task = await taskOf(privateAgent, 'owner');
    const calls = [
      rpc('SendMessage', { message: userMessage('hi') }),
      rpc('SendStreamingMessage', { message: userMessage('hi') }),
      rpc('GetTask', { id: task.id }),
      rpc('ListTasks', {}),
      rpc('CancelTask', { id: task.id }),
      rpc('SubscribeToTask', { id: task.id }),
      rpc('CreateTaskPushNotificationConfig', { taskId: task.id, url: 'https://hook.example/' }),
      rpc('GetTaskPushNotificationConfig', { taskId: task.id, id: 'x' }),
      rpc('ListTaskPushNotificationConfigs', { taskId: task.id }),
      rpc('DeleteTaskPushNotificationConfig', { taskId: task.id, id: 'x' }),
      rpc('GetExtendedAgentCard'),
    ];
    for (const call of calls) {
      const hidden = await post(`${root}${privateAgent}`, call, as['stranger']);
      const missing = await post(`${root}${UNKNOWN}`, call, as['stranger']);
      expect(hidden.body, call.method).toHaveProperty('error');
      expect(withoutIds([hidden.status, hidden.body])).toBe(withoutIds([missing.status, missing.body]));
    }
    const after = await post(`${root}${privateAgent}`, rpc('GetTask', { id: task.id }), as['owner']);
    expect(after.body['result'].status.state).toBe('TASK_STATE_INPUT_REQUIRED');
  });

  test("another's task does not exist, and lists hold one's own alone", async () => {
    const task = await taskOf(publicAgent, 'owner');
    for (const method of ['GetTask', 'CancelTask', 'SubscribeToTask']) {
      const { body } = await post(`${root}${publicAgent}`, rpc(method, { id: task.id }), as['stranger']);
      expect(body['error'].code).toBe(-32001);
    }
    const follow = rpc('SendMessage', { message: userMessage('hi', { taskId: task.id }) });
    expect((await post(`${root}${publicAgent}`, follow, as['stranger'])).body['error'].code).toBe(-32001);
    const list = rpc('ListTasks', { contextId: task.contextId });
    expect((await post(`${root}${publicAgent}`, list, as['stranger'])).body['result'].tasks).toEqual([]);
  });

  test('a task does not exist under the address of another agent', async () => {
    const task = await taskOf(publicAgent, 'owner');
    for (const method of ['GetTask', 'CancelTask', 'SubscribeToTask']) {
      const { body } = await post(`${root}${privateAgent}`, rpc(method, { id: task.id }), as['owner']);
      expect(body['error'].code).toBe(-32001);
    }
  });

  test('what an early client calls its task leads nobody else to it, and is told to nobody else', async () => {
    const { 'a2a-version': _, ...owner } = as['owner']!;
    const { 'a2a-version': __, ...stranger } = as['stranger']!;
    const { 'a2a-version': ___, ...admin } = as['admin']!;
    const send = (who: Record<string, string>, text: string) =>
      post(
        `${root}${publicAgent}`,
        rpc('tasks/send', { id: 'shared-name', message: { role: 'user', parts: [{ type: 'text', text }] } }),
        who,
      );
    const get = async (who: Record<string, string>, id: string) =>
      (await post(`${root}${publicAgent}`, rpc('tasks/get', { id }), who)).body;
    await send(owner, "ask: the owner's");
    expect(await get(stranger, 'shared-name')).toMatchObject({ error: { code: -32001 } });
    await send(stranger, "ask: the stranger's");
    expect((await get(owner, 'shared-name'))['result'].status.message.parts[0].text).toBe("the owner's");
    expect((await get(stranger, 'shared-name'))['result'].status.message.parts[0].text).toBe("the stranger's");
    const list = await post(`${root}${publicAgent}`, rpc('ListTasks', { pageSize: 100 }), as['admin']);
    for (const { id } of list.body['result'].tasks) {
      expect(JSON.stringify(await get(admin, id))).not.toContain('shared-name');
    }
  });
});
