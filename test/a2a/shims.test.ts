import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { eventsOf, post, rpc } from './support.ts';

let app: App;
let base: string;
const as: Record<string, Record<string, string>> = {};

beforeAll(async () => {
  app = await startTestApp(JWT_SETTINGS);
  const owner = await tokenFor('11111111-1111-4111-8111-111111111111');
  const stranger = await tokenFor('22222222-2222-4222-8222-222222222222');
  as['owner'] = { authorization: `Bearer ${owner}` };
  as['stranger'] = { authorization: `Bearer ${stranger}` };
  const { registerAgent } = await data(
    app.addresses.url,
    'mutation { registerAgent(input: { name: "Private", executionType: ECHO, visibility: PRIVATE }) { id } }',
    {},
    owner,
  );
  base = `${app.addresses.url}a2a/${registerAgent.id}`;
});
afterAll(() => app?.close());

const params = (id: string, text = 'hi') => ({ id, message: { role: 'user', parts: [{ type: 'text', text }] } });
const newId = () => `client-${crypto.randomUUID()}`;

/** Each path, and a body that the owner of the task may send there. */
const PATHS: readonly (readonly [path: string, method: string, (id: string) => object])[] = [
  ['tasks/send', 'tasks/send', (id) => params(id)],
  ['tasks/sendSubscribe', 'tasks/sendSubscribe', (id) => params(id)],
  ['tasks/get', 'tasks/get', (id) => ({ id })],
  ['tasks/cancel', 'tasks/cancel', (id) => ({ id })],
  [
    'tasks/pushNotification/set',
    'tasks/pushNotification/set',
    (id) => ({ id, pushNotificationConfig: { url: 'https://hook.example/' } }),
  ],
  ['tasks/pushNotification/get', 'tasks/pushNotification/get', (id) => ({ id })],
];

describe('the paths of the early era', () => {
  test('send takes bare params and answers a bare task', async () => {
    const id = newId();
    const { status, body } = await post(`${base}/tasks/send`, params(id), as['owner']);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, status: { state: 'completed' }, artifacts: [{ index: 0 }] });
    expect(body).not.toHaveProperty('jsonrpc');
  });

  test('send takes an envelope and answers an envelope under its id', async () => {
    const id = newId();
    const { body } = await post(`${base}/tasks/send`, rpc('tasks/send', params(id), 'e'), as['owner']);
    expect(body).toMatchObject({ jsonrpc: '2.0', id: 'e', result: { id, status: { state: 'completed' } } });
  });

  test('get and cancel know the task by the id that the client chose', async () => {
    const id = newId();
    await post(`${base}/tasks/send`, params(id, 'ask: more?'), as['owner']);
    expect((await post(`${base}/tasks/get`, { id }, as['owner'])).body).toMatchObject({
      id,
      status: { state: 'input-required' },
    });
    const canceled = await post(`${base}/tasks/cancel`, rpc('tasks/cancel', { id }), as['owner']);
    expect(canceled.body['result']).toMatchObject({ id, status: { state: 'canceled' } });
    const again = await post(`${base}/tasks/cancel`, { id }, as['owner']);
    expect(again).toMatchObject({ status: 400, body: { code: -32002 } });
  });

  test('a second send to the same id goes on with the task that asked', async () => {
    const id = newId();
    await post(`${base}/tasks/send`, params(id, 'ask: more?'), as['owner']);
    const { body } = await post(`${base}/tasks/send`, params(id, 'this'), as['owner']);
    expect(body).toMatchObject({ id, status: { state: 'completed' } });
  });

  test('sendSubscribe streams bare events to bare params, and envelopes to an envelope', async () => {
    const stream = async (body: unknown) =>
      eventsOf(
        await fetch(`${base}/tasks/sendSubscribe`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...as['owner'] },
          body: JSON.stringify(body),
        }),
      );
    const id = newId();
    const bare = await stream(params(id, 'stream: a b'));
    expect(bare.every(({ data }) => data['id'] === id && !('jsonrpc' in data))).toBe(true);
    expect(bare.at(-1)?.data).toMatchObject({ final: true, status: { state: 'completed' } });
    const enveloped = await stream(rpc('tasks/sendSubscribe', params(newId(), 'stream: a b'), 5));
    expect(enveloped.every(({ data }) => data['jsonrpc'] === '2.0' && data['id'] === 5)).toBe(true);
  });

  test('an answer that is a message becomes a completed task', async () => {
    const id = newId();
    const { body } = await post(`${base}/tasks/send`, params(id, 'message: hi'), as['owner']);
    expect(body).toMatchObject({
      id,
      status: { state: 'completed', message: { parts: [{ type: 'text', text: 'hi' }] } },
    });
  });

  test('a version that the path is not is refused, and nothing is done', async () => {
    for (const version of ['9.9', '1.0', '0.3']) {
      const id = newId();
      const refused = { data: { code: 'VERSION_NOT_SUPPORTED' } };
      const bare = await post(`${base}/tasks/send`, params(id), { ...as['owner'], 'a2a-version': version });
      expect(bare, version).toMatchObject({ status: 400, body: refused });
      const asked = `${base}/tasks/send?A2A-Version=${version}`;
      const enveloped = await post(asked, rpc('tasks/send', params(id), 4), as['owner']);
      expect(enveloped.body, version).toMatchObject({ id: 4, error: refused });
      const made = await post(`${base}/tasks/get`, { id }, as['owner']);
      expect(made, version).toMatchObject({ status: 404, body: { code: -32001 } });
    }
    for (const version of ['0.1', '']) {
      const { status } = await post(`${base}/tasks/send`, params(newId()), { ...as['owner'], 'a2a-version': version });
      expect(status, version).toBe(200);
    }
  });

  test('a notification is carried out without an answer', async () => {
    const notify = async (path: string, given: object) => {
      const { id: _, ...notification } = rpc(path, given);
      return post(`${base}/${path}`, notification, as['owner']);
    };
    for (const path of ['tasks/send', 'tasks/sendSubscribe']) {
      const id = newId();
      expect(await notify(path, params(id)), path).toMatchObject({ status: 204, body: {} });
      expect((await post(`${base}/tasks/get`, { id }, as['owner'])).body).toMatchObject({ id });
      expect(await notify('tasks/get', { id })).toMatchObject({ status: 204, body: {} });
    }
    expect(await notify('tasks/get', { id: 'none' })).toMatchObject({ status: 204, body: {} });
  });

  test('what cannot be read is an error that callers of both kinds understand', async () => {
    const broken = await post(`${base}/tasks/get`, '{', as['owner']);
    expect(broken).toMatchObject({ status: 400, body: { jsonrpc: '2.0', id: null, error: { code: -32700 } } });
    const type = await post(`${base}/tasks/get`, '{}', { ...as['owner'], 'content-type': 'text/plain' });
    expect(type).toMatchObject({ status: 415, body: { error: { code: -32600 } } });
    const wrong = await post(`${base}/tasks/get`, rpc('tasks/cancel', { id: 'x' }), as['owner']);
    expect(wrong.body).toMatchObject({ error: { code: -32600 } });
    const missing = await post(`${base}/tasks/get`, {}, as['owner']);
    expect(missing).toMatchObject({ status: 400, body: { code: -32602, data: { field: 'id' } } });
  });
});

describe.each(PATHS)('%s', (path, method, bodyFor) => {
  test('asks for a token', async () => {
    const bare = await post(`${base}/${path}`, bodyFor('x'));
    expect(bare.status).toBe(401);
    expect(bare.headers.get('www-authenticate')).toBe('Bearer');
    for (const wrong of [{}, '{"broken', rpc('tasks/other', {})]) {
      expect((await post(`${base}/${path}`, wrong)).status).toBe(401);
    }
    const wrong = await post(`${base}/${path}`, bodyFor('x'), { authorization: 'Bearer wrong' });
    expect(wrong.status).toBe(401);
  });

  test("refuses another's task, and an agent that one may not see, like what does not exist", async () => {
    const id = newId();
    await post(`${base}/tasks/send`, params(id, 'ask: more?'), as['owner']);
    const nowhere = base.replace(/[^/]+$/, '00000000-0000-7000-8000-000000000000');
    const withoutIds = (answer: { status: number; body: Record<string, unknown> }) =>
      JSON.stringify([answer.status, answer.body]).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…');
    for (const body of [bodyFor(id), rpc(method, bodyFor(id))]) {
      const refused = await post(`${base}/${path}`, body, as['stranger']);
      expect(JSON.stringify(refused.body)).toMatch(/There is no agent|has no task/);
      const unknown = await post(`${nowhere}/${path}`, body, as['stranger']);
      expect(withoutIds(refused)).toBe(withoutIds(unknown));
    }
    const { body } = await post(`${base}/tasks/get`, { id }, as['owner']);
    expect(body).toMatchObject({ id, status: { state: 'input-required' } });
  });
});
