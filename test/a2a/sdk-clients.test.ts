import { type Message, Role, type Task, TaskState } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { importAgent, startTestApp } from '../support/app.ts';
import { type SdkAgent, startSdkAgent } from '../support/sdk-agent.ts';
import { CLIENT_KINDS, caseOf, clientFor, echoAgent, sendOf } from './support.ts';

let app: App;
let upstream: SdkAgent;
const bases: Record<string, string> = {};

beforeAll(async () => {
  upstream = await startSdkAgent();
  app = await startTestApp();
  const { url } = app.addresses;
  const id = await importAgent(url, upstream.url);
  bases['echo'] = `${url}a2a/${await echoAgent(app)}/`;
  bases['third party'] = `${url}a2a/${id}/`;
});
afterAll(async () => {
  await app?.close();
  await upstream?.close();
});

const cases = CLIENT_KINDS.flatMap((kind) =>
  ['echo', 'third party'].map((agent) => ({ ...kind, agent, name: `${kind.binding} ${kind.version}, ${agent} agent` })),
);

describe.each(cases)("the A2A SDK's client over $name", ({ agent, ...kind }) => {
  let client: Client;
  beforeAll(async () => {
    client = await clientFor(bases[agent]!, kind);
  });

  const send = async (text: string, message?: object, configuration?: object): Promise<Task> =>
    (await client.sendMessage(sendOf(text, message, configuration))) as Task;
  const textOf = (task: Task): string =>
    task.artifacts
      .flatMap((it) => it.parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')))
      .join('');

  test('a send waits until the task is completed', async () => {
    const task = await send('hello');
    expect(task.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(textOf(task)).toContain('hello');
    expect(task.contextId).not.toBe('');
  });

  test('a send that returns at once answers a task that can be asked for', async () => {
    const { id } = await send('stream: a b', {}, { returnImmediately: true });
    const task = await client.getTask({ tenant: '', id, historyLength: undefined });
    expect(task.id).toBe(id);
  });

  test('an agent that answers with a message is answered with a message', async () => {
    const message = (await client.sendMessage(sendOf('message: hi'))) as Message;
    expect(message.role).toBe(Role.ROLE_AGENT);
    expect(message.parts[0]?.content).toEqual({ $case: 'text', value: 'hi' });
  });

  test('a stream begins with the task, has each chunk in order, and closes when the task is completed', async () => {
    const events = [];
    for await (const event of client.sendMessageStream(sendOf('stream: one two three'))) events.push(event);
    expect(caseOf(events[0]!)).toBe('task');
    const chunks = events.flatMap(({ payload }) => (payload?.$case === 'artifactUpdate' ? [payload.value] : []));
    expect(chunks.map(({ artifact }) => artifact?.parts[0]?.content)).toEqual(
      ['one', 'two', 'three'].map((value) => ({ $case: 'text', value })),
    );
    // The SDK drops `append` of 0.3's HTTP+JSON form when it reads it.
    const kept = kind.version === '1.0' || kind.binding === 'JSONRPC';
    expect(chunks.map(({ append }) => append)).toEqual([false, kept, kept]);
    const last = events.at(-1)?.payload;
    expect(last?.$case === 'statusUpdate' && last.value.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
  });

  test('a streamed message is one event', async () => {
    const events = [];
    for await (const event of client.sendMessageStream(sendOf('message: hi'))) events.push(caseOf(event));
    expect(events).toEqual(['message']);
  });

  test('a task that asks goes on with the answer, in the same task', async () => {
    const asked = await send('ask: who are you?');
    expect(asked.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
    const task = await send('a test', { taskId: asked.id, contextId: asked.contextId });
    expect(task.id).toBe(asked.id);
    expect(task.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
    expect(task.history.filter(({ role }) => role === Role.ROLE_USER)).toHaveLength(2);
  });

  test('a stream closes when the task waits for input', async () => {
    const states = [];
    for await (const { payload } of client.sendMessageStream(sendOf('ask: what?'))) {
      if (payload?.$case === 'statusUpdate') states.push(payload.value.status?.state);
    }
    expect(states.at(-1)).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
  });

  test('a subscriber gets the task as it is, and then the same events as whoever sent the message', async () => {
    const sent = client.sendMessageStream(sendOf(agent === 'echo' ? 'slow: 600' : 'wait'));
    const { payload } = (await sent.next()).value!;
    const id = payload?.$case === 'task' ? payload.value.id : '';
    if (agent !== 'echo') await upstream.waiting();
    const watched = client.resubscribeTask({ tenant: '', id });
    const first = (await watched.next()).value!;
    expect(caseOf(first)).toBe('task');
    if (agent === 'echo') await client.cancelTask({ tenant: '', id, metadata: undefined });
    else upstream.release();
    const rest = async (events: typeof sent) => {
      const all = [];
      for await (const event of events) all.push(event);
      return all;
    };
    const [mine, theirs] = await Promise.all([rest(sent), rest(watched)]);
    const last = theirs.at(-1)?.payload;
    expect(last?.$case === 'statusUpdate' && last.value.status?.state).toBe(
      agent === 'echo' ? TaskState.TASK_STATE_CANCELED : TaskState.TASK_STATE_COMPLETED,
    );
    expect(mine.slice(-theirs.length)).toEqual(theirs);
  });

  test('a task can be cancelled once', async () => {
    const { id } = await send('ask: stop me', {});
    expect((await client.cancelTask({ tenant: '', id, metadata: undefined })).status?.state).toBe(
      TaskState.TASK_STATE_CANCELED,
    );
    await expect(client.cancelTask({ tenant: '', id, metadata: undefined })).rejects.toThrow(/cannot be cancelled/);
  });

  test('a finished task cannot be subscribed to, and an unknown one does not exist', async () => {
    const { id } = await send('hello');
    await expect(client.resubscribeTask({ tenant: '', id }).next()).rejects.toThrow(/will not change any more/);
    const unknown = '00000000-0000-7000-8000-000000000000';
    await expect(client.getTask({ tenant: '', id: unknown, historyLength: undefined })).rejects.toThrow(/no task/);
  });

  test('historyLength 0 leaves the history out', async () => {
    const { id } = await send('hello');
    const task = await client.getTask({ tenant: '', id, historyLength: 0 });
    expect(task.history).toEqual([]);
    expect(textOf(task)).toContain('hello');
  });

  if (kind.version !== '1.0') return;
  test('lists the tasks of a context, newest first, page by page', async () => {
    const { contextId, id: first } = await send('one');
    const { id: second } = await send('two', { contextId });
    const list = (pageSize: number, pageToken = '') =>
      client.listTasks({
        tenant: '',
        contextId,
        status: 0,
        pageSize,
        pageToken,
        historyLength: undefined,
        statusTimestampAfter: undefined,
        includeArtifacts: undefined,
      });
    const page = await list(1);
    expect(page).toMatchObject({ totalSize: 2, pageSize: 1, tasks: [{ id: second, artifacts: [] }] });
    const next = await list(1, page.nextPageToken);
    expect(next).toMatchObject({ totalSize: 2, nextPageToken: '', tasks: [{ id: first }] });
  });
});
