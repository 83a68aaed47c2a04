import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { echoAgent, eventsOf, post, readEvents, take, userMessage } from './support.ts';

const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const A2A_JSON = 'application/a2a+json';

let app: App;
let base: string;

beforeAll(async () => {
  app = await startTestApp();
  base = `${app.addresses.url}a2a/${await echoAgent(app)}`;
});
afterAll(() => app?.close());

const get = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
  const response = await fetch(`${base}${path}`, { method, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
};
const send = async (text: string, more: object = {}) =>
  (await post(`${base}/message:send`, { message: userMessage(text, more) })).body['task'];
const v03Message = (text: string) => ({ messageId: crypto.randomUUID(), role: 'ROLE_USER', content: [{ text }] });

describe('1.0 below the base URL', () => {
  test('send answers a wrapped task, get and cancel a bare one', async () => {
    const task = await send('hi');
    expect(task.status.state).toBe('TASK_STATE_COMPLETED');
    const got = await get(`/tasks/${task.id}?historyLength=0`);
    expect(got.body).toMatchObject({ id: task.id, artifacts: [{ parts: [{ text: 'hi' }] }] });
    expect(got.body).not.toHaveProperty('history');
    const { id } = await send('ask: stop?');
    const canceled = await post(`${base}/tasks/${id}:cancel`, '');
    expect(canceled.body).toMatchObject({ id, status: { state: 'TASK_STATE_CANCELED' } });
  });

  test('lists by query parameters', async () => {
    const contextId = crypto.randomUUID();
    const { id } = await send('hi', { contextId });
    const query = `contextId=${contextId}&status=TASK_STATE_COMPLETED&pageSize=5&includeArtifacts=true`;
    const { body } = await get(`/tasks?${query}`);
    expect(body).toMatchObject({ tasks: [{ id, artifacts: [{}] }], nextPageToken: '', pageSize: 5, totalSize: 1 });
    const none = await get(`/tasks?contextId=${contextId}&status=TASK_STATE_FAILED`);
    expect(none.body).toEqual({ tasks: [], nextPageToken: '', pageSize: 50, totalSize: 0 });
  });

  test('streams bare events, and both verbs subscribe', async () => {
    const body = JSON.stringify({ message: userMessage('ask: more?') });
    const headers = { 'content-type': 'application/json' };
    const events = await eventsOf(await fetch(`${base}/message:stream`, { method: 'POST', headers, body }));
    expect(events.map(({ data }) => Object.keys(data)[0])).toEqual(['task', 'statusUpdate']);
    const { id } = events[0]!.data['task'];
    for (const method of ['GET', 'POST']) {
      const leaving = new AbortController();
      const response = await fetch(`${base}/tasks/${id}:subscribe`, { method, signal: leaving.signal });
      const first = await take(readEvents(response), 1);
      expect(first[0]!.data['task']).toMatchObject({ id, status: { state: 'TASK_STATE_INPUT_REQUIRED' } });
      leaving.abort();
    }
  });

  test('answers application/json, unless the client uses or takes application/a2a+json', async () => {
    const { id } = await send('hi');
    expect((await get(`/tasks/${id}`)).headers.get('content-type')).toMatch(/^application\/json/);
    expect((await get(`/tasks/${id}`, { accept: A2A_JSON })).headers.get('content-type')).toMatch(A2A_JSON);
    const sent = await post(`${base}/message:send`, { message: userMessage('hi') }, { 'content-type': A2A_JSON });
    expect(sent.headers.get('content-type')).toMatch(A2A_JSON);
  });

  test('errors have a status, and an ErrorInfo in their details', async () => {
    const unknown = await get(`/tasks/${UNKNOWN}`);
    expect(unknown.status).toBe(404);
    expect(unknown.body.error).toMatchObject({
      code: 404,
      status: 'NOT_FOUND',
      message: expect.stringContaining(UNKNOWN),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'TASK_NOT_FOUND',
          domain: 'a2a-protocol.org',
        },
      ],
    });
    const { id } = await send('hi');
    for (const [answer, status, reason] of [
      [await post(`${base}/tasks/${id}:cancel`, {}), 400, 'TASK_NOT_CANCELABLE'],
      [await get(`/tasks/${id}:subscribe`), 400, 'UNSUPPORTED_OPERATION'],
      [await get('/extendedAgentCard'), 400, 'UNSUPPORTED_OPERATION'],
      [await post(`${base}/message:send`, '{'), 400, 'PARSE_ERROR'],
      [await post(`${base}/message:send`, '[]'), 400, 'INVALID_PARAMS'],
      [await post(`${base}/message:send`, { message: userMessage('hi', { parts: [] }) }), 400, 'INVALID_PARAMS'],
      [await get('/tasks?pageSize=0'), 400, 'INVALID_PARAMS'],
      [await get(`/tasks/${id}?A2A-Version=7.0`), 400, 'VERSION_NOT_SUPPORTED'],
      [await get(`/tasks/${id}`, { 'a2a-version': '0.3' }), 400, 'VERSION_NOT_SUPPORTED'],
      [await get('/nothing'), 404, 'METHOD_NOT_FOUND'],
      [await post(`${base}/message:send`, 'hi', { 'content-type': 'text/plain' }), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ] as const) {
      expect([answer.status, answer.body.error.details[0].reason]).toEqual([status, reason]);
    }
  });

  test('a path that has other verbs names them', async () => {
    const answer = await get('/message:send');
    expect(answer.headers.get('allow')).toBe('POST');
    expect(answer.body.error.details[0].reason).toBe('METHOD_NOT_FOUND');
  });

  test('an agent that does not exist is not found', async () => {
    const other = await fetch(`${app.addresses.url}a2a/${UNKNOWN}/tasks`);
    expect(other.status).toBe(404);
    expect(((await other.json()) as any).error.details[0].reason).toBe('NOT_FOUND');
  });
});

describe('0.3 under /v1', () => {
  test('answers in the form of package a2a.v1', async () => {
    const sent = await post(`${base}/v1/message:send`, { message: v03Message('hi') });
    const { task } = sent.body;
    expect(task.status.state).toBe('TASK_STATE_COMPLETED');
    expect(task.history[0].content).toEqual([{ text: 'hi' }]);
    expect((await get(`/v1/tasks/${task.id}`)).body.id).toBe(task.id);
  });

  test('streams updates whose last one is final, with append where a chunk continues', async () => {
    const response = await fetch(`${base}/v1/message:stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: v03Message('stream: a b') }),
    });
    const events = await eventsOf(response);
    expect(
      events.flatMap(({ data }) =>
        data['artifactUpdate'] === undefined ? [] : [data['artifactUpdate'].append ?? false],
      ),
    ).toEqual([false, true]);
    expect(events.at(-1)?.data['statusUpdate']).toMatchObject({ final: true });
  });

  test('errors are what its JSON-RPC says, without the envelope', async () => {
    const unknown = await get(`/v1/tasks/${UNKNOWN}`);
    expect(unknown.status).toBe(404);
    expect(unknown.body).toMatchObject({ code: -32001, message: expect.stringContaining(UNKNOWN) });
    const broken = await post(`${base}/v1/message:send`, 'x', { 'content-type': 'text/plain' });
    expect(broken).toMatchObject({ status: 415, body: { code: -32600 } });
  });
});
