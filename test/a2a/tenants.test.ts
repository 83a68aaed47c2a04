import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { bindingsOf } from './bindings.ts';
import { echoAgent, post, rpc, userMessage } from './support.ts';

let app: App;
let bindings: ReturnType<typeof bindingsOf>;
let agentId: string;
let base: string;

beforeAll(async () => {
  app = await startTestApp();
  bindings = bindingsOf(app);
  agentId = await echoAgent(app);
  base = `${app.addresses.url}a2a/${agentId}`;
});
afterAll(async () => {
  bindings?.close();
  await app?.close();
});

const OTHER = '00000000-0000-7000-8000-000000000000';
const V1 = { 'a2a-version': '1.0' };
const get = async (path: string) => {
  const response = await fetch(`${base}${path}`, { headers: V1 });
  return { status: response.status, body: (await response.json()) as any };
};
/** What says that the tenant is not the agent of the address. */
const MISMATCH = { reason: 'INVALID_PARAMS', field: 'tenant', message: expect.stringContaining('tenant') };

describe.each(['JSON-RPC', 'HTTP+JSON'] as const)('a tenant over %s', (name) => {
  const call = (tenant: string) =>
    bindings.all.find((it) => it.name === name)!.call('ListTasks', agentId, { tenant, pageSize: 1 });

  test('may be the agent, in any case of letters, or be empty', async () => {
    for (const tenant of [agentId, agentId.toUpperCase(), '']) {
      expect(await call(tenant)).toMatchObject({ result: { pageSize: 1 } });
    }
  });

  test('is refused when it is anything else', async () => {
    for (const tenant of [OTHER, 'x', '%', 'a/b']) expect((await call(tenant)).error).toMatchObject(MISMATCH);
  });
});

describe('in HTTP+JSON', () => {
  test('every path of 1.0 may begin with it', async () => {
    const { body } = await post(`${base}/${agentId}/message:send`, { message: userMessage('ask: well?') }, V1);
    const { id } = body['task'];
    expect((await get(`/${agentId}/tasks/${id}`)).body.id).toBe(id);
    expect((await get(`/${agentId}/tasks`)).body.tasks).toHaveLength(1);
    const cancelled = await post(`${base}/${agentId}/tasks/${id}:cancel`, {}, V1);
    expect(cancelled.body['status'].state).toBe('TASK_STATE_CANCELED');
    const wrongVerb = await fetch(`${base}/${agentId}/tasks`, { method: 'DELETE' });
    expect([wrongVerb.status, wrongVerb.headers.get('allow')]).toEqual([404, 'GET']);
    await wrongVerb.body?.cancel();
  });

  test('it may be a query parameter or a member of the body, and must agree there too', async () => {
    expect((await get(`/tasks?tenant=${agentId}`)).status).toBe(200);
    const body = { tenant: agentId, message: userMessage('hi') };
    expect((await post(`${base}/message:send`, body, V1)).status).toBe(200);
    const refused = [
      await get(`/tasks?tenant=${OTHER}`),
      await get(`/${OTHER}/tasks`),
      await post(`${base}/message:send`, { ...body, tenant: OTHER }, V1),
      await post(`${base}/${OTHER}/message:send`, { message: userMessage('hi') }, V1),
    ];
    for (const { status, body: answer } of refused) {
      expect([status, answer.error.details[0].reason]).toEqual([400, 'INVALID_PARAMS']);
      expect(answer.error.message).toContain(agentId);
    }
  });

  test('paths of 0.3 know none, and what is no path stays none', async () => {
    for (const path of [`/${agentId}/v1/card`, `/v1/tasks`, `/${agentId}/nothing`, `/a/b/tasks`, '/%zz/tasks']) {
      const { status } = await get(path);
      expect([path, status]).toEqual([path, path.startsWith('/%') ? 400 : 404]);
    }
  });
});

test('in gRPC it names the agent: without one, and with one that there is not, calls are refused', async () => {
  const grpc = bindings.all.find((it) => it.name === 'gRPC')!;
  expect(await grpc.call('ListTasks', agentId.toUpperCase(), {})).toHaveProperty('result');
  expect((await grpc.call('ListTasks', '', {})).error).toMatchObject(MISMATCH);
  for (const tenant of [OTHER, 'x']) {
    const { error } = await grpc.call('SendMessage', tenant, { message: userMessage('hi') });
    expect(error).toMatchObject({ reason: 'NOT_FOUND' });
  }
});

test('0.3 has no tenants: a member of that name is like any other that it does not know', async () => {
  const message = {
    kind: 'message',
    messageId: crypto.randomUUID(),
    role: 'user',
    parts: [{ kind: 'text', text: 'hi' }],
  };
  const { body } = await post(base, rpc('message/send', { message, tenant: OTHER }));
  expect(body['result'].status.state).toBe('completed');
});
