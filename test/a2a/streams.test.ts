import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { importAgent, startTestApp } from '../support/app.ts';
import { type ScriptedAgent, type ScriptedStream, startScriptedAgent } from './scripted-agent.ts';
import { eventsOf, post, readEvents, rest, rpc, take, userMessage } from './support.ts';

const EXTENSION = 'https://extensions.example/required';

let app: App;
let agent: ScriptedAgent;
let strict: ScriptedAgent;
let base: string;
let strictBase: string;

beforeAll(async () => {
  agent = await startScriptedAgent();
  strict = await startScriptedAgent({
    capabilities: { streaming: true, extensions: [{ uri: EXTENSION, required: true }] },
  });
  app = await startTestApp();
  const imported = async (url: string) => {
    return `${app.addresses.url}a2a/${await importAgent(app.addresses.url, url)}`;
  };
  base = await imported(agent.url);
  strictBase = await imported(strict.url);
});
afterAll(async () => {
  await app?.close();
  await agent?.close();
  await strict?.close();
});

const open = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(base, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'a2a-version': '1.0', ...headers },
    body: JSON.stringify(body),
  });
const streamed = (text = 'go', more: object = {}) => rpc('SendStreamingMessage', { message: userMessage(text, more) });
const kindsOf = (events: readonly { data: Record<string, any> }[]) =>
  events.map(({ data: { result } }) => result.statusUpdate?.status.state ?? Object.keys(result)[0]);

/** A task that is at work, and goes on when told so. `events` has all of its events, from the first on. */
async function atWork(body: unknown = streamed()) {
  const response = open(body);
  const script = await agent.next();
  script.status('WORKING');
  script.artifact('a');
  const events = readEvents(await response);
  const [first] = await take(events, 1);
  return { script, events, first: first!, taskId: first!.data['result'].task.id as string };
}

const finish = (script: ScriptedStream): void => {
  script.status('COMPLETED');
  script.end();
};

describe('a stream that is continued', () => {
  test('with Last-Event-ID there is no snapshot, and exactly what follows', async () => {
    const { script, events, first, taskId } = await atWork();
    script.artifact('b', true);
    finish(script);
    const all = [first, ...(await rest(events))];
    const ids = all.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
    expect(kindsOf(all)).toEqual([
      'task',
      'TASK_STATE_WORKING',
      'artifactUpdate',
      'artifactUpdate',
      'TASK_STATE_COMPLETED',
    ]);
    for (const [i, { id }] of all.slice(0, -1).entries()) {
      const again = await eventsOf(await open(rpc('SubscribeToTask', { id: taskId }), { 'last-event-id': id! }));
      expect(again).toEqual(all.slice(i + 1));
    }
  });

  test('after the last event of a finished task, and with a cursor that is none, it is an error', async () => {
    const { script, events, taskId } = await atWork();
    finish(script);
    const last = (await rest(events)).at(-1)!.id!;
    const ask = (cursor: string) => post(base, rpc('SubscribeToTask', { id: taskId }), { 'last-event-id': cursor });
    expect((await ask(last)).body['error'].code).toBe(-32004);
    expect((await ask('x')).body['error']).toMatchObject({
      code: -32602,
      message: expect.stringContaining('Last-Event-ID'),
    });
    expect((await ask('999')).body['error'].code).toBe(-32602);
  });

  test('an early client finds its artifacts under the same numbers', async () => {
    const id = crypto.randomUUID();
    const early = (method: string, params: object, headers = {}) =>
      fetch(base, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(rpc(method, { id, ...params })),
      });
    const streaming = early('tasks/sendSubscribe', {
      message: { role: 'user', parts: [{ type: 'text', text: 'go' }] },
    });
    const script = await agent.next();
    script.artifact('a');
    script.artifact('b', false, 'other');
    script.artifact('c', true, 'other');
    finish(script);
    const all = await eventsOf(await streaming);
    const indexes = all.flatMap(({ data: { result } }) => result.artifact?.index ?? []);
    expect(indexes).toEqual([0, 1, 1]);
    for (const [i, { id: cursor }] of all.slice(0, -1).entries()) {
      const again = await eventsOf(await early('tasks/resubscribe', {}, { 'last-event-id': cursor! }));
      expect(again.map(({ data: { result } }) => result)).toMatchObject(
        all.slice(i + 1).map(({ data: { result } }) => result),
      );
    }
  });

  test('a repeated send joins the task, and continues where the reader was', async () => {
    const body = streamed();
    const { script, events, taskId } = await atWork(body);
    const [working] = await take(events, 1);
    await events.return();
    const again = readEvents(await open(body, { 'last-event-id': working!.id! }));
    const [artifact] = await take(again, 1);
    finish(script);
    const followed = [artifact!, ...(await rest(again))];
    expect(kindsOf(followed)).toEqual(['artifactUpdate', 'TASK_STATE_COMPLETED']);
    expect(followed[0]!.data['result'].artifactUpdate.taskId).toBe(taskId);
  });
});

describe('the end of a stream', () => {
  test('it stays open while the task waits for authentication', async () => {
    const { script, events } = await atWork();
    script.status('AUTH_REQUIRED');
    expect(kindsOf(await take(events, 3)).at(-1)).toBe('TASK_STATE_AUTH_REQUIRED');
    script.status('WORKING');
    finish(script);
    expect(kindsOf(await rest(events))).toEqual(['TASK_STATE_WORKING', 'TASK_STATE_COMPLETED']);
  });

  test('a send that waits answers when the task waits for authentication', async () => {
    const waiting = post(base, rpc('SendMessage', { message: userMessage('go') }));
    const script = await agent.next();
    script.status('AUTH_REQUIRED');
    expect((await waiting).body['result'].task.status.state).toBe('TASK_STATE_AUTH_REQUIRED');
    finish(script);
  });

  test('a reader that leaves does not end the work, nor the streams of others', async () => {
    const { script, events, taskId } = await atWork();
    const other = readEvents(await open(rpc('SubscribeToTask', { id: taskId })));
    await take(other, 1);
    await events.return();
    finish(script);
    expect(kindsOf(await rest(other)).at(-1)).toBe('TASK_STATE_COMPLETED');
  });
});

test('a caller that hangs up while it waits leaves the work to go on', async () => {
  const contextId = crypto.randomUUID();
  const leaving = new AbortController();
  const waiting = fetch(base, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rpc('SendMessage', { message: userMessage('go', { contextId }) })),
    signal: leaving.signal,
  });
  const script = await agent.next();
  leaving.abort();
  await expect(waiting).rejects.toThrow(/abort/);
  const { tasks } = (await post(base, rpc('ListTasks', { contextId }))).body['result'];
  const watched = await open(rpc('SubscribeToTask', { id: tasks[0].id }));
  finish(script);
  expect(kindsOf(await eventsOf(watched)).at(-1)).toBe('TASK_STATE_COMPLETED');
});

describe('extensions', () => {
  const send = (headers: Record<string, string>) =>
    post(strictBase, rpc('SendMessage', { message: userMessage('go') }), headers);

  test('an agent that requires one refuses callers that do not name it', async () => {
    const { body } = await send({ 'a2a-extensions': 'https://extensions.example/other' });
    expect(body['error']).toMatchObject({
      code: -32008,
      message: expect.stringContaining(EXTENSION),
      data: [{ reason: 'EXTENSION_SUPPORT_REQUIRED' }],
    });
  });

  test('callers that name it reach the agent, which hears of it; 0.3 has the header under another name', async () => {
    for (const name of ['a2a-extensions', 'x-a2a-extensions']) {
      const sent = send({ [name]: `https://extensions.example/other, ${EXTENSION}` });
      const script = await strict.next();
      finish(script);
      expect((await sent).body['result'].task.status.state).toBe('TASK_STATE_COMPLETED');
      expect(strict.extensions.at(-1)).toContain(EXTENSION);
    }
  });
});

test('an Idempotency-Key gets the same task again, after it has ended', async () => {
  const key = { 'idempotency-key': crypto.randomUUID() };
  const sent = post(base, rpc('SendMessage', { message: userMessage('go') }), key);
  const script = await agent.next();
  finish(script);
  const { id } = (await sent).body['result'].task;
  const again = await post(base, rpc('SendMessage', { message: userMessage('go') }), key);
  expect(again.body['result'].task.id).toBe(id);
  const bad = await post(base, rpc('SendMessage', { message: userMessage('go') }), {
    'idempotency-key': 'x'.repeat(256),
  });
  expect(bad.body['error']).toMatchObject({ code: -32602, message: expect.stringContaining('Idempotency-Key') });
});

test('a server that stops ends its streams, and tells who waits', async () => {
  const stopping = await startTestApp();
  const url = `${stopping.addresses.url}a2a/${await importAgent(stopping.addresses.url, agent.url)}`;
  const streaming = fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(streamed()),
  });
  const script = await agent.next();
  script.status('WORKING');
  const events = readEvents(await streaming);
  await take(events, 2);
  const waiting = post(url, rpc('SendMessage', { message: userMessage('go') }));
  const other = await agent.next();
  const closed = stopping.close();
  expect(await rest(events)).toEqual([]);
  expect((await waiting).body['error']).toMatchObject({ code: -32603, data: [{ reason: 'SHUTTING_DOWN' }] });
  for (const it of [script, other]) finish(it);
  await closed;
});
