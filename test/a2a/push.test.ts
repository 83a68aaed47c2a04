import { randomUUID } from 'node:crypto';
import { A2AClient as Client02 } from 'a2a-sdk-0.2/client';
import { ClientFactory as Factory03, JsonRpcTransportFactory, RestTransportFactory } from 'a2a-sdk-0.3/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';
import { CLIENT_KINDS, clientFor, echoAgent, post, rpc, sendOf, userMessage } from './support.ts';

const V1 = { 'a2a-version': '1.0' };
let app: App;
let agentId: string;
let base: string;
let hook: Webhook;

beforeAll(async () => {
  app = await startTestApp();
  agentId = await echoAgent(app);
  base = `${app.addresses.url}a2a/${agentId}/`;
});
afterAll(() => app?.close());
afterEach(() => hook?.close());

const asked = async (text = 'ask: more?'): Promise<string> =>
  (await post(base, rpc('SendMessage', { message: userMessage(text) }), V1)).body['result'].task.id;

/** Says more to a task that asked, so that it ends. */
const finish = (taskId: string) => post(base, rpc('SendMessage', { message: userMessage('this', { taskId }) }), V1);

describe.each(CLIENT_KINDS)("the SDK's client over $binding $version", (kind) => {
  test('creates, gets, lists, replaces and deletes webhooks', async () => {
    hook = await startWebhook();
    const client = await clientFor(base, kind);
    const taskId = await asked();
    const tenant = kind.binding === 'GRPC' ? agentId : '';
    const config = (id: string, url = hook.url) => ({
      tenant,
      taskId,
      id,
      url,
      token: `token of ${id}`,
      authentication: { scheme: 'Bearer', credentials: `credentials of ${id}` },
    });
    const made = await client.createTaskPushNotificationConfig(config('first'));
    expect(made).toMatchObject({ id: 'first', taskId, url: hook.url, authentication: { scheme: 'Bearer' } });
    expect(JSON.stringify(made)).not.toContain(' of first');
    await client.createTaskPushNotificationConfig(config('second'));
    await client.createTaskPushNotificationConfig(config('second', `${hook.url}/replaced`));
    const got = await client.getTaskPushNotificationConfig({ tenant, taskId, id: 'second' });
    expect(got).toMatchObject({ id: 'second', url: `${hook.url}/replaced` });
    const list = async () =>
      (await client.listTaskPushNotificationConfig({ tenant, taskId, pageSize: 0, pageToken: '' })).configs.map(
        ({ id }) => id,
      );
    expect(await list()).toEqual(['first', 'second']);
    for (let i = 0; i < 2; i++) await client.deleteTaskPushNotificationConfig({ tenant, taskId, id: 'first' });
    expect(await list()).toEqual(['second']);
    await expect(client.getTaskPushNotificationConfig({ tenant, taskId, id: 'first' })).rejects.toThrow(/no push/);
    await finish(taskId);
    const [arrived] = await hook.count(1);
    expect(arrived).toMatchObject({
      path: '/hook/replaced',
      headers: { 'x-a2a-notification-token': 'token of second', authorization: 'Bearer credentials of second' },
    });
  });

  test('sends a webhook with its message, and is told from the first event on', async () => {
    hook = await startWebhook();
    const client = await clientFor(base, kind);
    const sent = await client.sendMessage({
      ...sendOf('hello', {}, { taskPushNotificationConfig: { url: hook.url, token: 'inline' } }),
      tenant: kind.binding === 'GRPC' ? agentId : '',
    });
    const state = (body: Record<string, any>): string => {
      const status = body['task']?.status ?? body['statusUpdate']?.status ?? body['status'];
      return String(status?.state).toLowerCase().replace('task_state_', '');
    };
    await hook.until(({ body }) => state(body) === 'completed');
    expect(state(hook.received[0]!.body)).toBe('submitted');
    const told = hook.received[0]!.body;
    expect((told['task'] ?? told).id).toBe((sent as { id: string }).id);
    for (const { headers } of hook.received) {
      expect(headers['x-a2a-notification-token']).toBe('inline');
      expect(headers['content-type']).toBe(kind.version === '1.0' ? 'application/a2a+json' : 'application/json');
    }
    if (kind.version === '0.3') expect(hook.received.every(({ body }) => body['kind'] === 'task')).toBe(true);
  });
});

describe('the clients of older SDKs', () => {
  test.each([
    ['JSONRPC', new JsonRpcTransportFactory()],
    ['HTTP+JSON', new RestTransportFactory()],
  ] as const)('0.3 over %s sets, gets, lists and deletes', async (binding, transport) => {
    hook = await startWebhook();
    const client = await new Factory03({
      transports: [transport],
      preferredTransports: [binding],
    }).createFromUrl(base);
    const taskId = await asked();
    // Its type leaves out what the protocol has.
    const mine: { id: string } = Object.assign({ id: taskId }, { pushNotificationConfigId: 'mine' });
    await client.setTaskPushNotificationConfig({
      taskId,
      pushNotificationConfig: { id: 'mine', url: hook.url, authentication: { schemes: ['Basic'], credentials: 'x' } },
    });
    const got = await client.getTaskPushNotificationConfig(mine);
    expect(got.pushNotificationConfig).toMatchObject({ id: 'mine', url: hook.url });
    if (binding === 'JSONRPC') {
      const list = await client.listTaskPushNotificationConfig({ id: taskId });
      expect(list.map((it) => it.pushNotificationConfig.id)).toEqual(['mine']);
    }
    await client.deleteTaskPushNotificationConfig({ id: taskId, pushNotificationConfigId: 'mine' });
    await expect(client.getTaskPushNotificationConfig(mine)).rejects.toThrow(/no push|Task not found/);
  });

  test('0.2 has one webhook a task: setting it again replaces it', async () => {
    hook = await startWebhook();
    const client = new Client02(base.slice(0, -1));
    const taskId = await asked();
    for (const path of ['/one', '/two']) {
      const answer = await client.setTaskPushNotificationConfig({
        taskId,
        pushNotificationConfig: { url: `${hook.origin}${path}` },
      });
      expect(answer).toMatchObject({ result: { taskId, pushNotificationConfig: { url: `${hook.origin}${path}` } } });
    }
    const got = await client.getTaskPushNotificationConfig({ id: taskId });
    expect(got).toMatchObject({ result: { pushNotificationConfig: { id: taskId, url: `${hook.origin}/two` } } });
    await finish(taskId);
    const ended = await hook.until(({ body }) => body['status'].state === 'completed');
    expect(hook.received.every(({ path }) => path === '/two')).toBe(true);
    expect(ended.body).toMatchObject({ kind: 'task', id: taskId });
  });
});

describe('the early era', () => {
  const params = (id: string, more: object = {}) => ({
    id,
    message: { role: 'user', parts: [{ type: 'text', text: 'ask: more?' }] },
    ...more,
  });
  const later = (id: string) => ({ id, message: { role: 'user', parts: [{ type: 'text', text: 'this' }] } });

  test.each(['an envelope', 'bare params'])('sets and gets its one webhook by the paths, with %s', async (form) => {
    hook = await startWebhook();
    const id = `task-${randomUUID()}`;
    await post(`${base}tasks/send`, params(id));
    const call = async (path: string, given: object) => {
      const body = form === 'an envelope' ? rpc(path, given) : given;
      const answer = await post(`${base}${path}`, body);
      return form === 'an envelope' ? answer.body['result'] : answer.body;
    };
    const pushNotificationConfig = { url: hook.url, token: 't', authentication: { schemes: ['bearer'] } };
    const set = await call('tasks/pushNotification/set', { id, pushNotificationConfig });
    const shown = { id, pushNotificationConfig: { url: hook.url, authentication: { schemes: ['bearer'] } } };
    expect(set).toEqual(shown);
    expect(await call('tasks/pushNotification/get', { id })).toEqual(shown);
    await post(`${base}tasks/send`, later(id));
    const ended = await hook.until(({ body }) => body['status'].state === 'completed');
    // The whole task, under the name that the client gave it; a scheme without credentials asks for our own token.
    expect(ended.body).toMatchObject({ id, artifacts: [{ index: 0, parts: [{ type: 'text' }] }] });
    expect(ended.headers['authorization']).toBe(`Bearer ${ended.headers['x-rollcall-signature']}`);
  });

  test('sends its webhook with the first message', async () => {
    hook = await startWebhook();
    const id = `task-${randomUUID()}`;
    await post(base, rpc('tasks/send', params(id, { pushNotification: { url: hook.url } })));
    await hook.until(({ body }) => body['status'].state === 'input-required');
    expect(hook.received[0]!.body).toMatchObject({ id, status: { state: 'submitted' } });
  });
});

describe('what is refused', () => {
  const create = (taskId: string, config: object, headers: Record<string, string> = V1) =>
    post(base, rpc('CreateTaskPushNotificationConfig', { taskId, ...config }), headers);

  test('an unknown task, in every operation, is a task that is not found', async () => {
    const taskId = randomUUID();
    for (const [method, params] of [
      ['CreateTaskPushNotificationConfig', { taskId, url: 'http://127.0.0.1:1/' }],
      ['GetTaskPushNotificationConfig', { taskId, id: 'x' }],
      ['ListTaskPushNotificationConfigs', { taskId }],
      ['DeleteTaskPushNotificationConfig', { taskId, id: 'x' }],
    ] as const) {
      const { body } = await post(base, rpc(method, params), V1);
      expect(body['error'], method).toMatchObject({ code: -32001, data: [{ reason: 'TASK_NOT_FOUND' }] });
    }
  });

  test('an address that may not be called, at once and with nothing stored', async () => {
    const taskId = await asked();
    for (const url of [
      'http://10.1.2.3/',
      'http://169.254.169.254/latest',
      'file:///etc/passwd',
      'http://u:p@127.0.0.1/',
    ]) {
      expect((await create(taskId, { url })).body['error'].code, url).toBe(-32602);
    }
    const list = await post(base, rpc('ListTaskPushNotificationConfigs', { taskId }), V1);
    expect(list.body['result']).toEqual({ configs: [], nextPageToken: '' });
    const messageId = randomUUID();
    const configuration = { taskPushNotificationConfig: { url: 'http://10.1.2.3/' } };
    const sent = await post(base, rpc('SendMessage', { message: userMessage('hi', { messageId }), configuration }), V1);
    expect(sent.body['error'].code).toBe(-32602);
    const tasks = await post(base, rpc('ListTasks', { historyLength: 5, pageSize: 100 }), V1);
    expect(JSON.stringify(tasks.body)).not.toContain(messageId);
  });

  test('more than twenty webhooks; pages hold as many as were asked for', async () => {
    hook = await startWebhook();
    const taskId = await asked();
    for (let i = 0; i < 20; i++) await create(taskId, { url: hook.url });
    expect((await create(taskId, { url: hook.url })).body['error'].message).toContain('20');
    const seen: string[] = [];
    for (let pageToken = '', pages = 0; pages === 0 || pageToken !== ''; pages++) {
      const { body } = await post(base, rpc('ListTaskPushNotificationConfigs', { taskId, pageSize: 7, pageToken }), V1);
      expect(body['result'].configs.length).toBeLessThanOrEqual(7);
      seen.push(...body['result'].configs.map((it: { id: string }) => it.id));
      pageToken = body['result'].nextPageToken;
    }
    expect(new Set(seen).size).toBe(20);
    expect((await create(taskId, { id: seen[3]!, url: `${hook.url}/again` })).body['result'].url).toMatch(/again$/);
  });

  test('values that no header can hold, and those that are too long', async () => {
    const taskId = await asked();
    const url = 'http://127.0.0.1:9/';
    for (const [config, field] of [
      [{ url: `${url}${'x'.repeat(2_048)}` }, 'url'],
      [{ url, token: 'x'.repeat(4_097) }, 'token'],
      [{ url, token: 'a\r\nb: c' }, 'token'],
      [{ url, id: 'x'.repeat(256) }, 'id'],
      [{ url, authentication: { scheme: 'Bea rer', credentials: 'x' } }, 'authentication.scheme'],
      [{ url, authentication: { scheme: 'Bearer', credentials: 'ü' } }, 'authentication.credentials'],
    ] as const) {
      const { body } = await create(taskId, config);
      expect(body['error'].code, field).toBe(-32602);
      expect(body['error'].message).toContain(field);
    }
  });
});

test('HTTP+JSON answers 201 to a creation and 204 to a deletion', async () => {
  hook = await startWebhook();
  const taskId = await asked();
  const url = `${base}tasks/${taskId}/pushNotificationConfigs`;
  const made = await post(url, { url: hook.url, id: 'mine' });
  expect(made).toMatchObject({ status: 201, body: { id: 'mine', taskId, url: hook.url } });
  expect((await fetch(`${url}/mine`, { method: 'DELETE' })).status).toBe(204);
  expect((await fetch(`${url}/mine`)).status).toBe(404);
});

test('a repeated send does not register its webhook twice', async () => {
  hook = await startWebhook();
  const message = userMessage('slow: 1');
  const configuration = { taskPushNotificationConfig: { url: hook.url }, returnImmediately: true };
  const sends = await Promise.all([1, 2, 3].map(() => post(base, rpc('SendMessage', { message, configuration }), V1)));
  const ids = new Set(sends.map(({ body }) => body['result'].task.id));
  expect(ids.size).toBe(1);
  const list = await post(base, rpc('ListTaskPushNotificationConfigs', { taskId: [...ids][0] }), V1);
  expect(list.body['result'].configs).toHaveLength(1);
});

describe('with tokens', () => {
  test("another's webhooks do not exist, and scopes are asked for", async () => {
    const guarded = await startTestApp({ ...JWT_SETTINGS, EGRESS_ALLOW: '127.0.0.1' });
    try {
      hook = await startWebhook();
      const at = `${guarded.addresses.url}a2a/${await echoAgent(guarded)}/`;
      const owner = '11111111-1111-4111-8111-111111111111';
      const bearer = async (...args: Parameters<typeof tokenFor>) => ({
        ...V1,
        authorization: `Bearer ${await tokenFor(...args)}`,
      });
      const mine = await bearer(owner);
      const sent = await post(at, rpc('SendMessage', { message: userMessage('ask: more?') }), mine);
      const taskId = sent.body['result'].task.id;
      const call = async (method: string, params: object, headers: Record<string, string>) =>
        (await post(at, rpc(method, { taskId, ...params }), headers)).body;
      const url = { url: hook.url, id: 'mine' };
      expect(await call('CreateTaskPushNotificationConfig', url, mine)).toHaveProperty('result');
      const stranger = await bearer(randomUUID());
      for (const [method, params] of [
        ['CreateTaskPushNotificationConfig', url],
        ['GetTaskPushNotificationConfig', { id: 'mine' }],
        ['ListTaskPushNotificationConfigs', {}],
        ['DeleteTaskPushNotificationConfig', { id: 'mine' }],
      ] as const) {
        expect((await call(method, params, stranger))['error'].code).toBe(-32001);
      }
      const reader = await bearer(owner, ['registry:read', 'tasks:read']);
      expect(await call('GetTaskPushNotificationConfig', { id: 'mine' }, reader)).toHaveProperty('result');
      for (const method of ['CreateTaskPushNotificationConfig', 'DeleteTaskPushNotificationConfig']) {
        expect((await call(method, url, reader))['error'].message).toContain('tasks:send');
      }
      expect(await call('GetTaskPushNotificationConfig', { id: 'mine' }, mine)).toHaveProperty('result');
    } finally {
      await guarded.close();
    }
  });
});
