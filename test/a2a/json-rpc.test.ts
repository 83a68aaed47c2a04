import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { echoAgent, eventsOf, post, rpc, userMessage } from './support.ts';

const V1 = { 'a2a-version': '1.0' };
const UNKNOWN = '00000000-0000-7000-8000-000000000000';

let app: App;
let base: string;
let agentId: string;

beforeAll(async () => {
  app = await startTestApp();
  agentId = await echoAgent(app);
  base = `${app.addresses.url}a2a/${agentId}`;
});
afterAll(() => app?.close());

const oldMessage = (text: string) => ({
  kind: 'message',
  messageId: crypto.randomUUID(),
  role: 'user',
  parts: [{ kind: 'text', text }],
});
const earlySend = (text: string, id: string = crypto.randomUUID()) => ({
  id,
  message: { role: 'user', parts: [{ type: 'text', text }] },
});

const events = async (body: unknown, headers: Record<string, string> = {}) =>
  eventsOf(
    await fetch(base, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  );

describe('the dialect of a call', () => {
  test('PascalCase methods are 1.0, with and without the version, with and without a slash at the end', async () => {
    for (const headers of [V1, {}, { 'a2a-version': '1.0.1' }]) {
      for (const url of [base, `${base}/`]) {
        const { body, status } = await post(
          url,
          rpc('SendMessage', { message: userMessage('hi') }, 'a'),
          headers as never,
        );
        expect(status).toBe(200);
        expect(body).toMatchObject({
          jsonrpc: '2.0',
          id: 'a',
          result: { task: { status: { state: 'TASK_STATE_COMPLETED' } } },
        });
      }
    }
  });

  test('message/send is 0.3, answered in its shape', async () => {
    const { body } = await post(base, rpc('message/send', { message: oldMessage('hi') }));
    expect(body['result']).toMatchObject({ kind: 'task', status: { state: 'completed' } });
  });

  test('tasks/send is the early era, under the id that the client chose', async () => {
    const { body } = await post(base, rpc('tasks/send', { ...earlySend('hi', 'my-task'), sessionId: 's-1' }));
    expect(body['result']).toMatchObject({ id: 'my-task', sessionId: 's-1', status: { state: 'completed' } });
    expect(body['result'].artifacts[0]).toMatchObject({ index: 0, parts: [{ type: 'text', text: 'hi' }] });
  });

  test('tasks/get answers a task of the early era in words of both older dialects', async () => {
    await post(base, rpc('tasks/send', earlySend('hi', 'both')));
    const { body } = await post(base, rpc('tasks/get', { id: 'both' }));
    expect(body['result']).toMatchObject({ id: 'both', kind: 'task', status: { state: 'completed' } });
    expect(body['result'].artifacts[0]).toMatchObject({
      index: 0,
      parts: [{ type: 'text', kind: 'text', text: 'hi' }],
    });
  });

  test('tasks/get answers a task of 0.3 under our id', async () => {
    const sent = await post(base, rpc('message/send', { message: oldMessage('hi') }));
    const { id } = sent.body['result'];
    const { body } = await post(base, rpc('tasks/get', { id }), { 'a2a-version': '0.3' });
    expect(body['result']).toMatchObject({ id, kind: 'task' });
  });

  test('a task of the early era is found by our id as well, in 1.0', async () => {
    const id = `x-${crypto.randomUUID()}`;
    await post(base, rpc('tasks/send', { ...earlySend('hi', id), sessionId: id }));
    const { body } = await post(base, rpc('ListTasks', { contextId: id }), V1);
    const [task] = body['result'].tasks;
    expect(task.id).not.toBe(id);
    expect((await post(base, rpc('GetTask', { id: task.id }), V1)).body['result'].id).toBe(task.id);
    expect((await post(base, rpc('GetTask', { id }), V1)).body['error'].code).toBe(-32001);
  });

  test('a version that disagrees with the method, or that nobody speaks, is refused', async () => {
    const wrong = await post(base, rpc('message/send', { message: oldMessage('hi') }), V1);
    expect(wrong.body['error']).toMatchObject({ code: -32009 });
    const unknown = await post(`${base}?A2A-Version=9.9`, rpc('SendMessage', { message: userMessage('hi') }));
    expect(unknown.body['error']).toMatchObject({ code: -32009, data: [{ reason: 'VERSION_NOT_SUPPORTED' }] });
  });
});

describe('errors', () => {
  const codeOf = async (body: unknown, headers = {}) => {
    const answer = await post(base, body, headers);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ jsonrpc: '2.0', error: { message: expect.stringMatching(/\w/) } });
    return [answer.body['id'], answer.body['error'].code];
  };

  test('what is no JSON-RPC request is refused by the codes of JSON-RPC', async () => {
    expect(await codeOf('{"jsonrpc":')).toEqual([null, -32700]);
    expect(await codeOf('')).toEqual([null, -32700]);
    expect(await codeOf([rpc('GetTask', { id: 'x' })])).toEqual([null, -32600]);
    expect(await codeOf({ id: 7, method: 'GetTask' })).toEqual([7, -32600]);
    expect(await codeOf(rpc('NoSuchMethod'))).toEqual([1, -32601]);
    expect(await codeOf(rpc('SendMessage', { message: { role: 'ROLE_USER' } }))).toEqual([1, -32602]);
    expect(await codeOf(rpc('GetTask', []))).toEqual([1, -32602]);
  });

  test('1.0 says what is wrong in typed details, the older dialects in one object', async () => {
    const v1 = await post(base, rpc('SendMessage', { message: userMessage('hi', { parts: [] }) }), V1);
    expect(v1.body['error'].data).toContainEqual({
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: 'message.parts', description: expect.any(String) }],
    });
    const v03 = await post(base, rpc('message/send', { message: { ...oldMessage('hi'), parts: [] } }));
    expect(v03.body['error'].data).toMatchObject({ field: 'message.parts' });
  });

  test('an agent that does not exist is an error in the dialect of the caller', async () => {
    for (const id of [UNKNOWN, 'no-id']) {
      const url = `${app.addresses.url}a2a/${id}`;
      const v1 = await post(url, rpc('SendMessage', { message: userMessage('hi') }), V1);
      expect(v1.body).toMatchObject({ id: 1, error: { code: -32602, data: [{ reason: 'NOT_FOUND' }] } });
      const v03 = await post(url, rpc('message/send', { message: oldMessage('hi') }));
      expect(v03.body).toMatchObject({ id: 1, error: { code: -32602, data: { code: 'NOT_FOUND' } } });
    }
  });

  test('a stream that fails before its first event is a normal answer', async () => {
    const answer = await post(
      base,
      rpc('SendStreamingMessage', { message: userMessage('hi', { taskId: UNKNOWN }) }),
      V1,
    );
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.body).toMatchObject({ id: 1, error: { code: -32001, data: [{ reason: 'TASK_NOT_FOUND' }] } });
  });

  test('a body past the limit, and one of another type, are refused in the dialect of the caller', async () => {
    const big = await post(base, `{"jsonrpc":"2.0","x":"${'x'.repeat(16 * 1024 * 1024)}"}`, V1);
    expect(big.status).toBe(413);
    expect(big.body).toMatchObject({ jsonrpc: '2.0', id: null, error: { data: [{ reason: 'PAYLOAD_TOO_LARGE' }] } });
    const chunk = new Uint8Array(1024 * 1024).fill(0x20);
    const chunks = new ReadableStream({
      start: (controller) => {
        for (let i = 0; i < 20; i++) controller.enqueue(chunk);
        controller.close();
      },
    });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: chunks, duplex: 'half' };
    const endless = await fetch(base, init as RequestInit);
    expect(endless.status).toBe(413);
    expect(await endless.json()).toMatchObject({ error: { data: { code: 'PAYLOAD_TOO_LARGE' } } });
    const text = await post(base, JSON.stringify(rpc('GetTask', { id: 'x' })), { 'content-type': 'text/plain' });
    expect(text.status).toBe(415);
    expect(text.body).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32600 } });
  });

  test('a tenant that is another agent is refused', async () => {
    const tenant = UNKNOWN;
    expect(await codeOf(rpc('SendMessage', { tenant, message: userMessage('hi') }), V1)).toEqual([1, -32602]);
    const same = await post(base, rpc('SendMessage', { tenant: agentId, message: userMessage('hi') }), V1);
    expect(same.body).toHaveProperty('result.task');
  });
});

test('a notification is carried out without an answer', async () => {
  const contextId = crypto.randomUUID();
  const { id: _, ...notification } = rpc('SendMessage', { message: userMessage('hi', { contextId }) });
  const answer = await post(base, notification, V1);
  expect(answer).toMatchObject({ status: 204, body: {} });
  const listed = await post(base, rpc('ListTasks', { contextId }), V1);
  expect(listed.body['result'].totalSize).toBe(1);
  const { id: __, ...unknown } = rpc('NoSuchMethod');
  expect((await post(base, unknown, V1)).status).toBe(204);
});

test('an id comes back as it was: text, number or null', async () => {
  for (const id of ['a', 7, 0, null]) {
    const { body } = await post(base, { ...rpc('GetTask', { id: UNKNOWN }), id }, V1);
    expect(body['id']).toBe(id);
  }
});

test('pages: ListTasks always has its four members, and no artifacts unless asked', async () => {
  const contextId = crypto.randomUUID();
  const empty = await post(base, rpc('ListTasks', { contextId }), V1);
  expect(empty.body['result']).toEqual({ tasks: [], nextPageToken: '', pageSize: 50, totalSize: 0 });
  await post(base, rpc('SendMessage', { message: userMessage('hi', { contextId }) }), V1);
  const plain = await post(base, rpc('ListTasks', { contextId }), V1);
  expect(plain.body['result'].tasks[0]).not.toHaveProperty('artifacts');
  const full = await post(base, rpc('ListTasks', { contextId, includeArtifacts: true }), V1);
  expect(full.body['result'].tasks[0].artifacts).toHaveLength(1);
  const tooMany = await post(base, rpc('ListTasks', { pageSize: 101 }), V1);
  expect(tooMany.body['error'].code).toBe(-32602);
});

test('each dialect gets the events of a stream in its own words, under the sequence as id', async () => {
  const v1 = await events(rpc('SendStreamingMessage', { message: userMessage('stream: a b') }, 's'), V1);
  expect(v1.map(({ id }) => Number(id))).toEqual(v1.map((_, i) => Number(v1[0]!.id) + i));
  expect(v1.every(({ data }) => data['jsonrpc'] === '2.0' && data['id'] === 's')).toBe(true);
  expect(v1.map(({ data }) => Object.keys(data['result'])[0])).toEqual([
    'task',
    'statusUpdate',
    'artifactUpdate',
    'artifactUpdate',
    'statusUpdate',
  ]);
  const v03 = await events(rpc('message/stream', { message: oldMessage('stream: a b') }));
  expect(v03[0]?.data['result'].kind).toBe('task');
  expect(v03.at(-1)?.data['result']).toMatchObject({
    kind: 'status-update',
    final: true,
    status: { state: 'completed' },
  });
  const early = await events(rpc('tasks/sendSubscribe', earlySend('stream: a b', 'st')));
  expect(early.every(({ data }) => data['result'].id === 'st')).toBe(true);
  const chunks = early.flatMap(({ data }) => (data['result'].artifact === undefined ? [] : [data['result'].artifact]));
  expect(chunks).toMatchObject([
    { index: 0, append: false },
    { index: 0, append: true, lastChunk: true },
  ]);
  expect(early.at(-1)?.data['result']).toMatchObject({ final: true, status: { state: 'completed' } });
});
