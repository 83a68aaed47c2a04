import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';
import { type ScriptedAgent, startScriptedAgent } from './scripted-agent.ts';
import { eventsOf, post, rpc, userMessage } from './support.ts';

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
    const { importAgent } = await data(
      app.addresses.url,
      'mutation($url: String!) { importAgent(input: { url: $url }) { id } }',
      { url },
    );
    return `${app.addresses.url}a2a/${importAgent.id}`;
  };
  base = await imported(agent.url);
  strictBase = await imported(strict.url);
});
afterAll(async () => {
  await app?.close();
  await agent?.close();
  await strict?.close();
});

const open = (body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(base, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'a2a-version': '1.0', ...headers },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
const streamed = (text = 'go', more: object = {}) => rpc('SendStreamingMessage', { message: userMessage(text, more) });
const kindsOf = (events: readonly { data: Record<string, any> }[]) =>
  events.map(({ data: { result } }) => result.statusUpdate?.status.state ?? Object.keys(result)[0]);

/** A task that has come to three events after its creation, and goes on when told so. */
async function atWork() {
  const stream = open(streamed());
  const script = await agent.next();
  script.status('WORKING');
  script.artifact('a');
  const response = await stream;
  const [first] = await eventsOf(response.clone(), 1);
  return { script, response, taskId: first!.data['result'].task.id as string };
}

describe('a stream that is continued', () => {
  test('with Last-Event-ID there is no snapshot, and exactly what follows', async () => {
    const { script, response, taskId } = await atWork();
    script.artifact('b', true);
    script.status('COMPLETED');
    script.end();
    const all = await eventsOf(response);
    const ids = all.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
    for (const [i, { id }] of all.slice(0, -1).entries()) {
      const rest = await eventsOf(await open(rpc('SubscribeToTask', { id: taskId }), { 'last-event-id': id! }));
      expect(rest.map(({ data: { result } }) => result)).toEqual(
        all.slice(i + 1).map(({ data: { result } }) => result),
      );
    }
  });

  test('after the last event of a finished task, and with a cursor that is none, it is an error', async () => {
    const { script, response, taskId } = await atWork();
    script.status('COMPLETED');
    script.end();
    const last = (await eventsOf(response)).at(-1)!.id!;
    const ask = (cursor: string) => post(base, rpc('SubscribeToTask', { id: taskId }), { 'last-event-id': cursor });
    expect((await ask(last)).body['error'].code).toBe(-32004);
    expect((await ask('x')).body['error']).toMatchObject({
      code: -32602,
      message: expect.stringContaining('Last-Event-ID'),
    });
    expect((await ask('999')).body['error'].code).toBe(-32602);
  });

  test('a repeated send joins the task, and continues where the reader was', async () => {
    const body = streamed();
    const leaving = new AbortController();
    const first = await open(body, {}, leaving.signal).then(async (response) => {
      const script = await agent.next();
      script.status('WORKING');
      const events = await eventsOf(response, 2);
      return { script, events };
    });
    leaving.abort();
    const again = open(body, { 'last-event-id': first.events[1]!.id! });
    const response = await again;
    first.script.artifact('later');
    first.script.status('COMPLETED');
    first.script.end();
    const rest = await eventsOf(response);
    expect(kindsOf(rest)).toEqual(['artifactUpdate', 'TASK_STATE_COMPLETED']);
    expect(rest.at(-1)!.data['result'].statusUpdate.taskId).toBe(first.events[0]!.data['result'].task.id);
  });
});

describe('the end of a stream', () => {
  test('it stays open while the task waits for authentication', async () => {
    const stream = open(streamed());
    const script = await agent.next();
    script.status('AUTH_REQUIRED');
    const response = await stream;
    const first = await eventsOf(response.clone(), 2);
    expect(kindsOf(first).at(-1)).toBe('TASK_STATE_AUTH_REQUIRED');
    script.status('WORKING');
    script.status('COMPLETED');
    script.end();
    expect(kindsOf(await eventsOf(response)).slice(-3)).toEqual([
      'TASK_STATE_AUTH_REQUIRED',
      'TASK_STATE_WORKING',
      'TASK_STATE_COMPLETED',
    ]);
  });

  test('a send that waits answers when the task waits for authentication', async () => {
    const waiting = post(base, rpc('SendMessage', { message: userMessage('go') }));
    const script = await agent.next();
    script.status('AUTH_REQUIRED');
    expect((await waiting).body['result'].task.status.state).toBe('TASK_STATE_AUTH_REQUIRED');
    script.status('COMPLETED');
    script.end();
  });

  test('a reader that leaves does not end the work, nor the streams of others', async () => {
    const { script, response, taskId } = await atWork();
    await response.body!.cancel();
    const other = await open(rpc('SubscribeToTask', { id: taskId }));
    script.status('COMPLETED');
    script.end();
    expect(kindsOf(await eventsOf(other)).at(-1)).toBe('TASK_STATE_COMPLETED');
  });
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
      script.status('COMPLETED');
      script.end();
      expect((await sent).body['result'].task.status.state).toBe('TASK_STATE_COMPLETED');
      expect(strict.extensions.at(-1)).toContain(EXTENSION);
    }
  });
});

test('an Idempotency-Key gets the same task again, after it has ended', async () => {
  const key = { 'idempotency-key': crypto.randomUUID() };
  const sent = post(base, rpc('SendMessage', { message: userMessage('go') }), key);
  const script = await agent.next();
  script.status('COMPLETED');
  script.end();
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
  const { importAgent } = await data(
    stopping.addresses.url,
    'mutation($url: String!) { importAgent(input: { url: $url }) { id } }',
    { url: agent.url },
  );
  const url = `${stopping.addresses.url}a2a/${importAgent.id}`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(streamed()),
  });
  const script = await agent.next();
  const waiting = post(url, rpc('SendMessage', { message: userMessage('go') }));
  const other = await agent.next();
  const closed = stopping.close();
  expect(kindsOf(await eventsOf(response))).toEqual(['task']);
  expect((await waiting).body['error']).toMatchObject({ code: -32603, data: [{ reason: 'SHUTTING_DOWN' }] });
  for (const it of [script, other]) {
    it.status('COMPLETED');
    it.end();
  }
  await closed;
});
