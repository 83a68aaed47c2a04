import { describe, expect, test, vi } from 'vitest';
import type { Scope } from '../../src/auth/principal.ts';
import { newId } from '../../src/database/ids.ts';
import { asOfSnapshot } from '../../src/graphql/task-views.ts';
import { ask } from '../support/app.ts';
import { DRIVERS } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { collect, SEND, tasksWorld } from './tasks-world.ts';

describe.each(DRIVERS)('tasks in the graph (%s)', (kind) => {
  const world = tasksWorld(kind);
  const { users, as, refusal, echo, send, overSocket } = world;

  test('sendMessage waits for the task to rest, or returns at once', async () => {
    const agentId = await echo();
    const { task } = await send('me', { agentId, text: 'artifact: done' });
    expect(task).toMatchObject({ state: 'COMPLETED', owner: users.me, lastSequence: 4, agent: { id: agentId } });
    expect(task.artifacts).toMatchObject([{ artifactId: 'artifact', parts: [{ text: 'done' }] }]);
    expect(task.history).toMatchObject([{ role: 'USER', taskId: task.id, contextId: task.contextId }]);
    expect(Date.parse(task.finishedAt)).toBeGreaterThanOrEqual(Date.parse(task.createdAt));

    const asking = await send('me', { agentId, text: 'ask: which one?' });
    expect(asking.task).toMatchObject({
      state: 'INPUT_REQUIRED',
      statusMessage: { parts: [{ text: 'which one?' }] },
      finishedAt: null,
    });
    const answered = await send('me', { agentId, text: 'this one', taskId: asking.task.id });
    expect(answered.task).toMatchObject({ id: asking.task.id, state: 'COMPLETED' });

    const said = await send('me', { agentId, text: 'message: only words' });
    expect(said).toMatchObject({ message: { parts: [{ text: 'only words' }] }, task: { state: 'COMPLETED' } });

    const slow = await send('me', { agentId, text: 'slow: 600 late', wait: false });
    expect(['SUBMITTED', 'WORKING']).toContain(slow.task.state);
    const { cancelTask } = await as('me', 'mutation($id: ID!) { cancelTask(input: { id: $id }) { id state } }', {
      id: slow.task.id,
    });
    expect(cancelTask).toEqual({ id: slow.task.id, state: 'CANCELED' });
    const again = 'mutation($id: ID!) { cancelTask(input: { id: $id }) { id } }';
    expect(await refusal('me', again, { id: slow.task.id })).toMatchObject({ code: 'TASK_NOT_CANCELABLE' });
    expect(await refusal('other', again, { id: slow.task.id })).toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  test('a message keeps its parts, references and metadata; an idempotency key joins in any state', async () => {
    const agentId = await echo();
    const first = await send('me', { agentId, text: 'one' });
    const parts = [
      { data: { a: null, b: [1, null] }, metadata: { of: 'data' } },
      { data: null },
      { text: 'words', mediaType: 'text/plain' },
    ];
    const idempotencyKey = newId();
    const input = { agentId, parts, referenceTaskIds: [first.task.id], idempotencyKey };
    const { task } = await send('me', input);
    expect(task.history).toMatchObject([
      {
        referenceTaskIds: [first.task.id],
        parts: [
          { data: { a: null, b: [1, null] }, metadata: { of: 'data' } },
          { data: null, text: null },
          { text: 'words' },
        ],
      },
    ]);
    expect((await send('me', input)).task.id).toBe(task.id);
    expect((await send('me', { ...input, idempotencyKey: newId() })).task.id).not.toBe(task.id);
    for (const wrong of [[{ text: 'a', url: 'http://b' }], [{ filename: 'x' }], [{}]]) {
      expect(await refusal('me', SEND, { input: { agentId, parts: wrong } })).toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  test('a list is filtered and counted; agents show theirs, read together', async () => {
    const agents = [await echo(), await echo(), await echo()];
    for (const text of ['one', 'ask: two', 'three']) {
      for (const agentId of agents.slice(0, 2)) await send('me', { agentId, text, contextId: `of ${agentId}` });
    }
    await send('other', { agentId: agents[0]!, text: 'theirs' });
    const list = async (name: keyof typeof users, filter: object, more = '') =>
      (
        await as(
          name,
          `query($filter: TaskFilterInput) { tasks(filter: $filter ${more}) { nodes { id agent { id } } totalCount { value exact display } pageInfo { hasNextPage } } }`,
          { filter },
        )
      ).tasks;
    const both = await list('me', { agentIds: agents.slice(0, 2) }, ', first: 4');
    expect(both.nodes).toHaveLength(4);
    expect(both).toMatchObject({
      totalCount: { value: 6, exact: true, display: '6' },
      pageInfo: { hasNextPage: true },
    });
    expect((await list('me', { agentId: agents[0], states: ['INPUT_REQUIRED'] })).totalCount.value).toBe(1);
    expect((await list('other', { agentIds: agents })).totalCount.value).toBe(1);
    expect((await list('admin', { agentIds: agents })).totalCount.value).toBe(7);
    expect((await list('admin', { agentIds: agents, owner: users.other })).totalCount.value).toBe(1);

    const pages = vi.spyOn(world.app.core.tasks, 'ofAgents');
    const totals = vi.spyOn(world.app.core.tasks, 'totalsOfAgents');
    const OF_AGENTS = `query($filter: TaskFilterInput, $after: String) { agents(first: 200) { nodes { id
      tasks(filter: $filter, first: 2, after: $after) { nodes { id state agent { id } } totalCount { value } pageInfo { hasNextPage endCursor } }
      all: tasks { totalCount { value } } } } }`;
    const found = async (name: keyof typeof users, variables: object = {}) => {
      const { nodes } = (await as(name, OF_AGENTS, variables)).agents;
      return agents.map((id) => nodes.find((node: { id: string }) => node.id === id));
    };
    const mine = await found('me');
    expect(mine.map((agent) => agent.tasks.totalCount.value)).toEqual([3, 3, 0]);
    expect(mine.map((agent) => agent.all.totalCount.value)).toEqual([3, 3, 0]);
    expect(mine.map((agent) => agent.tasks.nodes.map((task: any) => task.agent.id))).toEqual([
      [agents[0], agents[0]],
      [agents[1], agents[1]],
      [],
    ]);
    expect(pages.mock.calls.map(([, ids]) => ids.length)).toEqual([expect.any(Number), expect.any(Number)]);
    expect(totals.mock.calls.length).toBeLessThanOrEqual(2);
    pages.mockRestore();
    totals.mockRestore();
    const waiting = await found('me', { filter: { states: ['INPUT_REQUIRED'] } });
    expect(waiting.map((agent) => agent.tasks.nodes.map((task: any) => task.state))).toEqual([
      ['INPUT_REQUIRED'],
      ['INPUT_REQUIRED'],
      [],
    ]);
    const { agent } = await as(
      'me',
      'query($id: ID!, $after: String) { agent(id: $id) { tasks(first: 2, after: $after) { nodes { id } pageInfo { hasPreviousPage hasNextPage } } } }',
      { id: agents[0], after: mine[0].tasks.pageInfo.endCursor },
    );
    expect(agent.tasks).toMatchObject({
      nodes: [{ id: expect.any(String) }],
      pageInfo: { hasPreviousPage: true, hasNextPage: false },
    });
    expect((await found('other')).map((it) => it.tasks.totalCount.value)).toEqual([1, 0, 0]);
    expect((await found('admin')).map((it) => it.tasks.totalCount.value)).toEqual([4, 3, 0]);

    const anonymous = await ask(world.url, '{ agents { nodes { handle tasks { nodes { id } } } } }');
    expect(anonymous.data['agents'].nodes).toEqual([{ handle: 'echo', tasks: null }]);
    expect(anonymous.errors![0]).toMatchObject({
      path: ['agents', 'nodes', 0, 'tasks'],
      extensions: { code: 'UNAUTHENTICATED' },
    });
  });

  test('taskEvents begins with the task as it was at the sequence of the snapshot', async () => {
    const agentId = await echo();
    const { task } = await send('me', { agentId, text: 'stream: a b' });
    const query = `subscription($id: ID!, $after: Int) { taskEvents(taskId: $id, after: $after) { sequence kind state append lastChunk
      artifact { parts { text } } task { state lastSequence finishedAt history { role } artifacts { parts { text } } } } }`;
    const read = async (variables: Record<string, unknown>) => {
      const { events, close } = await overSocket('me', query, variables);
      const seen = collect<any>(events, 'taskEvents');
      await seen.over;
      await close();
      return seen.all;
    };
    expect(await read({ id: task.id })).toMatchObject([
      {
        sequence: 5,
        kind: 'SNAPSHOT',
        task: {
          state: 'COMPLETED',
          lastSequence: 5,
          history: [{ role: 'USER' }],
          artifacts: [{ parts: [{ text: 'a' }, { text: 'b' }] }],
        },
      },
    ]);
    expect(await read({ id: task.id, after: 2 })).toMatchObject([
      { sequence: 3, kind: 'ARTIFACT', append: false, lastChunk: false, artifact: { parts: [{ text: 'a' }] } },
      { sequence: 4, kind: 'ARTIFACT', append: true, lastChunk: true, artifact: { parts: [{ text: 'b' }] } },
      { sequence: 5, kind: 'STATUS', state: 'COMPLETED' },
    ]);
    const principal = { subject: users.me, anonymous: false, scopes: new Set<Scope>(['tasks:read']) };
    const { row } = await world.app.core.tasks.get(principal, task.id);
    const contents = { id: task.id, status: { state: 'working' as const, timestamp: '2026-01-02T03:04:05.678Z' } };
    expect(asOfSnapshot(row, contents, 3)).toMatchObject({
      owner: users.me,
      state: 'working',
      lastSequence: 3,
      finishedAt: null,
      statusAt: new Date('2026-01-02T03:04:05.678Z'),
      contents,
    });
  });

  test('usage tells calls, failures and how long they took', async () => {
    const agentId = await echo();
    const usage = async () => {
      await world.app.core.registry.usage.flush();
      const query =
        'query($id: ID!) { agent(id: $id) { usage { calls failures lastUsedAt latency { calls p50 p95 p99 } } } }';
      return (await as('me', query, { id: agentId })).agent.usage;
    };
    expect(await usage()).toEqual({ calls: 0, failures: 0, lastUsedAt: null, latency: null });
    const measured: number[] = [];
    for (const text of ['one', 'two', 'ask: three', 'fail: four', 'slow: 0.4 five']) {
      const before = performance.now();
      await send('me', { agentId, text });
      measured.push(performance.now() - before);
    }
    const canceled = await send('me', { agentId, text: 'slow: 600', wait: false });
    await as('me', 'mutation($id: ID!) { cancelTask(input: { id: $id }) { id } }', { id: canceled.task.id });
    await vi.waitFor(async () => expect((await usage()).calls).toBe(6), SOON);
    const { failures, lastUsedAt, latency } = await usage();
    expect(failures).toBe(1);
    expect(Date.now() - Date.parse(lastUsedAt)).toBeLessThan(60_000);
    expect(latency.calls).toBe(5);
    // The slow one is the slowest; a caller waits longer than the agent takes, as the answer is stored first.
    expect(latency.p99).toBeGreaterThanOrEqual(400 * 0.97);
    expect(latency.p99).toBeLessThanOrEqual(Math.max(...measured) * 1.03);
    expect(latency.p50).toBeLessThanOrEqual(measured.toSorted((a, b) => a - b)[2]! * 1.03 + 1);
    expect(latency.p50).toBeGreaterThan(0);
  });
});
