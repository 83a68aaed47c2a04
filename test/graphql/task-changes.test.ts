import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { describe, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { newId } from '../../src/database/ids.ts';
import { data, startTestApp } from '../support/app.ts';
import { DRIVERS } from '../support/database.ts';
import { startCostsSubgraph } from '../support/remote-subgraph.ts';
import { type Change, collect, SEND, tasksWorld } from './tasks-world.ts';

describe.each(DRIVERS)('tasksChanged (%s)', (kind) => {
  const world = tasksWorld(kind);
  const { users, tokenOf, echo, send, overSocket, overSse } = world;

  const WATCH = `subscription($filter: TaskFilterInput) { tasksChanged(filter: $filter) {
    taskId agentId contextId from to sequence at merged task { id state owner agent { id name } artifacts { parts { text } } } } }`;

  test.each([
    ['graphql-ws', overSocket],
    ['SSE', overSse],
  ] as const)('tasksChanged over %s tells each change of state, to those who may know', async (_name, over) => {
    const agentId = await echo();
    const filter = { agentIds: [agentId], statusTimestampAfter: new Date().toISOString() };
    const subscriptions = {
      me: await over('me', WATCH, { filter }),
      other: await over('other', WATCH, { filter }),
      admin: await over('admin', WATCH, { filter }),
      ends: await over('me', WATCH, { filter: { ...filter, states: ['FAILED', 'CANCELED'] } }),
    };
    const seen = Object.fromEntries(
      Object.entries(subscriptions).map(([name, { events }]) => [name, collect<Change>(events, 'tasksChanged')]),
    );
    // The first ones tell that the stream is there; they may be told of as merged.
    const [mine, theirs] = [await send('me', { agentId, text: 'hello' }), await send('other', { agentId, text: 'hi' })];
    const ended = (id: string) => (all: readonly Change[]) =>
      all.some(({ taskId, to }) => taskId === id && to === 'COMPLETED');
    await Promise.all([
      seen['me']!.until(ended(mine.task.id)),
      seen['other']!.until(ended(theirs.task.id)),
      seen['admin']!.until((all) => ended(mine.task.id)(all) && ended(theirs.task.id)(all)),
    ]);
    const streamed = await send('me', { agentId, text: 'stream: a b c' });
    const failed = await send('me', { agentId, text: 'fail: on purpose' });
    const all = await seen['me']!.until((all) =>
      all.some(({ taskId, to }) => taskId === failed.task.id && to === 'FAILED'),
    );
    const changes = all.filter(({ taskId }) => taskId === streamed.task.id);
    expect(changes.map(({ from, to, sequence, merged }) => [from, to, sequence, merged])).toEqual([
      [null, 'SUBMITTED', 1, false],
      ['SUBMITTED', 'WORKING', 2, false],
      ['WORKING', 'COMPLETED', 6, false],
    ]);
    expect(changes[2]).toMatchObject({
      agentId,
      contextId: streamed.task.contextId,
      task: {
        state: 'COMPLETED',
        owner: users.me,
        agent: { id: agentId, name: 'Echo of tests' },
        artifacts: [{ parts: [{ text: 'a' }, { text: 'b' }, { text: 'c' }] }],
      },
    });
    const own = new Set([mine, streamed, failed].map(({ task }) => task.id));
    expect(all.every(({ taskId }) => own.has(taskId))).toBe(true);
    expect(seen['other']!.all.every(({ taskId }) => taskId === theirs.task.id)).toBe(true);
    const ends = await seen['ends']!.until((all) => all.length > 0);
    expect(ends).toMatchObject([{ taskId: failed.task.id, to: 'FAILED', merged: false }]);
    expect(new Set(seen['admin']!.all.map(({ taskId }) => taskId))).toContain(theirs.task.id);
    for (const { close } of Object.values(subscriptions)) await close();
    for (const { over: ended } of Object.values(seen)) await ended.catch(() => undefined);
  });

  test('a subscription that is broken off goes on with what changed meanwhile', async () => {
    const agentId = await echo();
    const asking = await send('me', { agentId, text: 'ask: well?' });
    const { row } = await world.app.core.tasks.get(
      { subject: users.me, anonymous: false, scopes: new Set(['tasks:read']) },
      asking.task.id,
    );
    await send('me', { agentId, text: 'well', taskId: asking.task.id });
    const other = await send('me', { agentId, text: 'meanwhile' });
    const filter = { agentId, statusTimestampAfter: row.statusAt.toISOString() };
    const { events, close } = await overSocket('me', WATCH, { filter });
    const seen = await collect<Change>(events, 'tasksChanged').until((all) => all.length === 2);
    expect(seen).toMatchObject([
      { taskId: asking.task.id, from: null, to: 'COMPLETED', merged: true },
      { taskId: other.task.id, from: null, to: 'COMPLETED', merged: true },
    ]);
    await close();
  });

  test('callers without the scope are refused, and wrong filters', async () => {
    const client = createClient({
      url: `${world.url.replace('http', 'ws')}graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    await expect(client.iterate<any>({ query: 'subscription { tasksChanged { to } }' }).next()).resolves.toMatchObject({
      value: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
    });
    await client.dispose();
    const { events, close } = await overSocket('me', WATCH, {
      filter: { agentIds: Array.from({ length: 1_001 }, newId) },
    });
    expect((await events.next()).value).toMatchObject({
      errors: [{ extensions: { code: 'INVALID_INPUT', field: 'filter.agentIds' } }],
    });
    await close();
  });

  test('many watchers of one change share its reads', async () => {
    const agentId = await echo();
    const reads = vi.spyOn(world.app.core.tasks, 'rowsSeenBy');
    const client = createClient({
      url: `${world.url.replace('http', 'ws')}graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${await tokenOf('me')}` },
    });
    const filter = { agentId, states: ['COMPLETED'], statusTimestampAfter: new Date().toISOString() };
    const query =
      'subscription($filter: TaskFilterInput) { tasksChanged(filter: $filter) { taskId to task { state } } }';
    const watchers = Array.from({ length: 100 }, () =>
      collect<Change>(client.iterate<any>({ query, variables: { filter } }), 'tasksChanged'),
    );
    const told = (id: string) => (all: readonly Change[]) => all.some(({ taskId }) => taskId === id);
    const first = await send('me', { agentId, text: 'first' });
    await Promise.all(watchers.map((watcher) => watcher.until(told(first.task.id))));
    reads.mockClear();
    const second = await send('me', { agentId, text: 'second' });
    await Promise.all(watchers.map((watcher) => watcher.until(told(second.task.id))));
    expect(watchers.every(({ all }) => all.at(-1)?.task.state === 'COMPLETED')).toBe(true);
    const wanted = reads.mock.calls.reduce((sum, [keys]) => sum + keys.length, 0);
    expect(wanted).toBeGreaterThanOrEqual(100);
    expect(reads.mock.calls.length).toBeLessThanOrEqual(10);
    reads.mockRestore();
    await client.dispose();
  });

  test.each([
    ['graphql-ws', overSocket],
    ['SSE', overSse],
  ] as const)('a reader over %s that leaves is forgotten at once', async (_name, over) => {
    const watch = world.app.core.tasks.watch;
    const spy = vi.spyOn(world.app.core.tasks, 'watch');
    let left: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    const opened = new Promise<void>((resolve) => {
      spy.mockImplementation((...args) => {
        const changes = watch(...args);
        const end = changes.return.bind(changes);
        changes.return = (value) => {
          left();
          return end(value);
        };
        resolve();
        return changes;
      });
    });
    const { events, close } = await over('me', WATCH, { filter: { contextId: 'nothing ever happens here' } });
    const reading = events.next().catch(() => undefined);
    await opened;
    await close();
    await gone;
    await reading;
    spy.mockRestore();
  });
});

describe('tasksChanged through the gateway', () => {
  test('is joined with the subgraphs of other teams, and a stop of the server ends it', async () => {
    const costs = await startCostsSubgraph((id) => id.length / 100);
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-tasks-'));
    writeFileSync(join(folder, 'subgraphs.json'), JSON.stringify([{ name: 'costs', url: costs.url }]));
    const app = await startTestApp({ SUBGRAPHS: join(folder, 'subgraphs.json') });
    try {
      const { url } = app.addresses;
      const { agent } = await data(url, '{ agent(handle: "echo") { id } }');
      const client = createClient({
        url: `${url.replace('http', 'ws')}graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
      });
      const query = `subscription($filter: TaskFilterInput) { tasksChanged(filter: $filter) { to task { id agent { handle costPerCall } } } }`;
      const filter = { statusTimestampAfter: new Date().toISOString() };
      const seen = collect<Change>(client.iterate<any>({ query, variables: { filter } }), 'tasksChanged');
      await data(url, SEND, { input: { agentId: agent.id, text: 'hello' } });
      const changes = await seen.until((all) => all.some(({ to }) => to === 'COMPLETED'));
      for (const { task } of changes) expect(task.agent).toEqual({ handle: 'echo', costPerCall: 0.36 });
      const ended = seen.over.catch(() => undefined);
      await app.close();
      await ended;
      await client.dispose();
    } finally {
      await app.close();
      await costs.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
