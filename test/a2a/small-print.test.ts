import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { ask, startTestApp } from '../support/app.ts';
import { echoAgent, post } from './support.ts';

let app: App;
let base: string;

beforeAll(async () => {
  app = await startTestApp();
  base = `${app.addresses.url}a2a/${await echoAgent(app)}`;
});
afterAll(() => app?.close());

const V1 = { 'a2a-version': '1.0' };
const send = async (text: string, configuration: object = {}, message: object = {}) => {
  const said = { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...message };
  const { status, body } = await post(`${base}/message:send`, { message: said, configuration }, V1);
  return { status, body, task: body['task'] };
};

test('who does not wait gets as much history as was asked for', async () => {
  const none = await send('slow: 1 x', { returnImmediately: true, historyLength: 0 });
  expect(none.task.status.state).toBe('TASK_STATE_SUBMITTED');
  expect(none.task).not.toHaveProperty('history');
  const { task } = await send('ask: which one?');
  expect(task.status.state).toBe('TASK_STATE_INPUT_REQUIRED');
  const more = await send('this one', { returnImmediately: true, historyLength: 1 }, { taskId: task.id });
  expect(more.task.history).toMatchObject([{ parts: [{ text: 'this one' }] }]);
});

test('a moment that no database can hold is the fault of who asks', async () => {
  for (const moment of ['0000-01-01T00:00:00Z', '-000001-01-01T00:00:00Z', '+012026-01-01T00:00:00Z']) {
    const response = await fetch(`${base}/tasks?${new URLSearchParams({ statusTimestampAfter: moment })}`, {
      headers: V1,
    });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain('statusTimestampAfter');
  }
  const query = 'query($m: DateTime!) { tasks(filter: { statusTimestampAfter: $m }) { nodes { id } } }';
  const { errors } = await ask(app.addresses.url, query, { m: '0000-01-01T00:00:00Z' });
  expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
});

test('the one webhook of a task, for clients that know of no other, is their own', async () => {
  const id = `client-${randomUUID()}`;
  const begun = await post(`${base}/tasks/send`, {
    id,
    message: { role: 'user', parts: [{ type: 'text', text: 'ask: x' }] },
  });
  expect(begun.body['status'].state).toBe('input-required');
  const ours = (await ask(app.addresses.url, '{ tasks(first: 1) { nodes { id } } }')).data.tasks.nodes[0].id;
  const first = await post(
    `${base}/tasks/${ours}/pushNotificationConfigs`,
    { id: 'A', url: 'http://127.0.0.1:9/a' },
    V1,
  );
  expect(first.status).toBe(201);
  const own = { id, pushNotificationConfig: { url: 'http://127.0.0.1:9/own' } };
  expect((await post(`${base}/tasks/pushNotification/set`, own)).status).toBe(200);
  const { body } = await post(`${base}/tasks/pushNotification/get`, { id });
  expect(body['pushNotificationConfig'].url).toBe('http://127.0.0.1:9/own');
});

test('an early client that was shown a task by our id goes on with it', async () => {
  const { task } = await send('ask: which one?');
  const shown = await post(`${base}/tasks/get`, { id: task.id });
  expect(shown.body['status'].state).toBe('input-required');
  const message = { role: 'user', parts: [{ type: 'text', text: 'this one' }] };
  const answered = await post(`${base}/tasks/send`, { id: task.id, message });
  expect(answered.body).toMatchObject({ id: task.id, status: { state: 'completed' } });
  const response = await fetch(`${base}/tasks/${task.id}`, { headers: V1 });
  expect(await response.json()).toMatchObject({ id: task.id, status: { state: 'TASK_STATE_COMPLETED' } });
});

test('errors name what the client knows', async () => {
  const half = await send('\ud800');
  expect(half.status).toBe(400);
  expect(JSON.stringify(half.body)).toContain('message.parts[0].text');
  expect(JSON.stringify(half.body)).not.toContain('$');
  const id = `client-${randomUUID()}`;
  await post(`${base}/tasks/send`, { id, message: { role: 'user', parts: [{ type: 'text', text: 'hi' }] } });
  const { body } = await post(`${base}/tasks/cancel`, {
    jsonrpc: '2.0',
    id: 1,
    method: 'tasks/cancel',
    params: { id },
  });
  expect(body['error'].message).toBe('The task is completed and cannot be cancelled any more.');
});
