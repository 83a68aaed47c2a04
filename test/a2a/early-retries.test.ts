import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { importAgent, startTestApp } from '../support/app.ts';
import { type ScriptedAgent, type ScriptedStream, startScriptedAgent } from './scripted-agent.ts';
import { post, readEvents, rest, rpc, type StreamedEvent, take } from './support.ts';

let app: App;
let agent: ScriptedAgent;
let base: string;

beforeAll(async () => {
  agent = await startScriptedAgent();
  app = await startTestApp();
  base = `${app.addresses.url}a2a/${await importAgent(app.addresses.url, agent.url)}`;
});
afterAll(async () => {
  await app?.close();
  await agent?.close();
});

const finish = (script: ScriptedStream): void => {
  script.status('COMPLETED');
  script.end();
};
const params = (id: string, text = 'go') => ({ id, message: { role: 'user', parts: [{ type: 'text', text }] } });
const open = (path: string, body: object) =>
  fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
/** Both ways in which an early client streams. */
const WAYS = [
  {
    name: 'JSON-RPC',
    stream: (body: object) => open('', rpc('tasks/sendSubscribe', body)),
    said: ({ data: { result } }: StreamedEvent) => result,
  },
  {
    name: 'its path',
    stream: (body: object) => open('/tasks/sendSubscribe', body),
    said: ({ data: event }: StreamedEvent) => event,
  },
] as const;

const tasksStored = async (): Promise<number> =>
  (await post(base, rpc('ListTasks', { pageSize: 1 }), { 'a2a-version': '1.0' })).body['result'].totalSize;
const get = async (id: string) => (await post(base, rpc('tasks/get', { id }))).body['result'];
const userTexts = (task: Record<string, any>): string[] =>
  task['history'].filter((it: any) => it.role === 'user').map((it: any) => it.parts[0].text);

describe.each(WAYS)('a retry in the early era over $name, whose messages have no ids', ({ stream, said }) => {
  test('joins the work of the first one', async () => {
    const id = crypto.randomUUID();
    const [stored, requests] = [await tasksStored(), agent.extensions.length];
    const first = stream(params(id));
    const script = await agent.next();
    script.status('WORKING');
    // Each has joined once it says something: the work ends after that.
    const streams = [first, stream(params(id)), stream(params(id))].map(async (it) => readEvents(await it));
    const readers = await Promise.all(streams);
    for (const reader of readers) await take(reader, 1);
    finish(script);
    for (const reader of readers) {
      const last = said((await rest(reader)).at(-1)!);
      expect(last).toMatchObject({ id, status: { state: 'completed' }, final: true });
    }
    expect([await tasksStored(), agent.extensions.length]).toEqual([stored + 1, requests + 1]);
    expect(userTexts(await get(id))).toEqual(['go']);
  });

  test('joins when both arrive together', async () => {
    const id = crypto.randomUUID();
    const [stored, requests] = [await tasksStored(), agent.extensions.length];
    const sent = Array.from({ length: 6 }, async () => readEvents(await stream(params(id))));
    const script = await agent.next();
    script.status('WORKING');
    const readers = await Promise.all(sent);
    for (const reader of readers) await take(reader, 1);
    finish(script);
    for (const reader of readers) await rest(reader);
    expect([await tasksStored(), agent.extensions.length]).toEqual([stored + 1, requests + 1]);
  });

  test('is another message when it says something else, of the same task', async () => {
    const id = crypto.randomUUID();
    const stored = await tasksStored();
    const asking = stream(params(id, 'first'));
    const script = await agent.next();
    script.status('INPUT_REQUIRED');
    script.end();
    await rest(readEvents(await asking));
    for (const text of ['second', 'second']) {
      const answering = stream(params(id, text));
      const next = await agent.next();
      // The task of the agent is the one that the first message began.
      next.status('INPUT_REQUIRED');
      next.end();
      await rest(readEvents(await answering));
    }
    expect(await tasksStored()).toBe(stored + 1);
    expect(userTexts(await get(id))).toEqual(['first', 'second', 'second']);
  });

  test('is new work once the first one has ended', async () => {
    const id = crypto.randomUUID();
    const stored = await tasksStored();
    for (const _ of [1, 2]) {
      const sent = stream(params(id));
      finish(await agent.next());
      await rest(readEvents(await sent));
    }
    expect(await tasksStored()).toBe(stored + 2);
  });
});
