import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { echoAgent, eventsOf, post, rpc, userMessage } from './support.ts';

let app: App;
let base: string;
/** A task that ended long ago, with its log folded. */
let taskId: string;
let before: Record<string, any>;

beforeAll(async () => {
  app = await startTestApp();
  base = `${app.addresses.url}a2a/${await echoAgent(app)}`;
  const sent = await post(base, rpc('SendMessage', { message: userMessage('stream: a b c') }));
  before = sent.body['result'].task;
  taskId = before['id'];
  await app.database.query(`update task set finished_at = now() - interval '31 days' where id = $1`, [taskId]);
  await app.core.tasks.tidy();
});
afterAll(() => app?.close());

const open = (body: unknown, cursor: string) =>
  fetch(base, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'last-event-id': cursor },
    body: JSON.stringify(body),
  });

test('a task is read as it was, after its log was folded', async () => {
  const { body } = await post(base, rpc('GetTask', { id: taskId }));
  expect(body['result']).toEqual(before);
});

test('a stream of A2A that goes on from an old cursor gets the whole task, and ends', async () => {
  for (const cursor of ['0', '1', '3', '5']) {
    const events = await eventsOf(await open(rpc('SubscribeToTask', { id: taskId }), cursor));
    expect(events.map(({ data: { result } }) => result)).toEqual([{ task: before }]);
    expect(Number(events[0]!.id)).toBeGreaterThan(5);
  }
  const older = await eventsOf(await open(rpc('tasks/resubscribe', { id: taskId }), '2'));
  expect(older.map(({ data: { result } }) => result)).toMatchObject([
    { kind: 'task', id: taskId, status: { state: 'completed' }, artifacts: [{ parts: [{ text: 'a' }, {}, {}] }] },
  ]);
});

test('a stream of the graph is told to begin again', async () => {
  const response = await fetch(new URL('graphql/stream', app.addresses.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: `subscription($id: ID!) { taskEvents(taskId: $id, after: 2) {
        kind reset sequence state task { artifacts { parts { text } } history { parts { text } } }
      } }`,
      variables: { id: taskId },
    }),
  });
  const text = await response.text();
  const events = text
    .split('\n\n')
    .filter((it) => it.startsWith('event: next'))
    .map((it) => JSON.parse(it.slice(it.indexOf('data: ') + 6)).data.taskEvents);
  expect(events).toMatchObject([
    {
      kind: 'SNAPSHOT',
      reset: true,
      state: 'COMPLETED',
      task: {
        artifacts: [{ parts: [{ text: 'a' }, { text: 'b' }, { text: 'c' }] }],
        history: [{ parts: [{ text: 'stream: a b c' }] }],
      },
    },
  ]);
});
