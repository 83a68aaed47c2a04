import { beforeAll, describe, expect, it } from 'vitest';
import { MOST_TASKS, MOST_WAITING, type TaskChange } from '../../src/tasks/change-buffer.ts';
import { completed, scripted, working } from './scripted.ts';
import { DATABASES, onCleanup, STARTING_MS, say, someone, stack } from './support.ts';

const ADMIN = ['registry:read', 'tasks:read', 'tasks:send', 'tasks:admin'] as const;

async function take(changes: AsyncIterator<TaskChange>, count: number): Promise<TaskChange[]> {
  const taken: TaskChange[] = [];
  while (taken.length < count) {
    const { value, done } = await changes.next();
    if (done) throw new Error(`ended after ${taken.length} changes`);
    taken.push(value);
  }
  return taken;
}
const steps = (changes: readonly TaskChange[]) => changes.map(({ from, to, sequence }) => [from, to, sequence]);

describe.each(DATABASES)('watching tasks on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const setUp = async () => {
    const engine = await stack(open);
    const agentId = await engine.echo();
    const send = async (text: string, more: Parameters<typeof say>[1] = {}, principal = engine.me) => {
      const sent = await engine.tasks.send(principal, agentId, say(text, more));
      await sent.answer();
      return sent.taskId;
    };
    return { ...engine, agentId, send };
  };

  it('tells every change of state, in order, and nothing else', async () => {
    const { tasks, me, send, agentId } = await setUp();
    const changes = tasks.watch(me);
    const streamed = await send('stream: a b c d');
    expect(await take(changes, 3)).toMatchObject([
      { taskId: streamed, agentId, owner: me.subject, from: null, to: 'submitted', sequence: 1, merged: false },
      { taskId: streamed, from: 'submitted', to: 'working', sequence: 2, merged: false },
      { taskId: streamed, from: 'working', to: 'completed', sequence: 7, merged: false },
    ]);
    const asking = await send('ask: which?');
    expect(steps(await take(changes, 2))).toEqual([
      [null, 'submitted', 1],
      ['submitted', 'input-required', 2],
    ]);
    await send('that one', { taskId: asking });
    const answered = await take(changes, 2);
    expect(answered.map(({ from, to }) => [from, to])).toEqual([
      ['input-required', 'working'],
      ['working', 'completed'],
    ]);
    const { row } = await tasks.get(me, asking);
    expect(answered[1]).toMatchObject({ sequence: row.lastSequence, at: row.statusAt, contextId: row.contextId });
    const waiting = changes.next();
    await changes.return(undefined);
    expect((await waiting).done).toBe(true);
  });

  it('tells owners of theirs, and tasks:admin of everyone’s', async () => {
    const { tasks, me, send } = await setUp();
    const [stranger, admin] = [someone(), someone(ADMIN)];
    const mine = tasks.watch(me);
    const all = tasks.watch(admin, { owner: null });
    const ofMe = tasks.watch(admin, { owner: me.subject });
    const notMine = tasks.watch(stranger, { owner: me.subject });
    const theirs = await send('hello', {}, stranger);
    const own = await send('hello');
    expect((await take(mine, 2)).map(({ taskId }) => taskId)).toEqual([own, own]);
    expect((await take(all, 4)).map(({ taskId }) => taskId)).toEqual([theirs, theirs, own, own]);
    expect((await take(ofMe, 2)).map(({ taskId }) => taskId)).toEqual([own, own]);
    const silent = notMine.next();
    for (const changes of [mine, all, ofMe, notMine]) await changes.return(undefined);
    expect((await silent).done).toBe(true);
    expect(() => tasks.watch(someone(['registry:read']))).toThrow(/tasks:read/);
  });

  it('tells only what passes the filter', async () => {
    const { tasks, me, send, echo, agentId } = await setUp();
    const otherAgent = await echo();
    const ends = tasks.watch(me, { states: ['completed', 'failed'] });
    const inContext = tasks.watch(me, { contextId: 'c1', states: ['completed'] });
    const ofOther = tasks.watch(me, { agentIds: [otherAgent.toUpperCase(), 'no id'] });
    const ofBoth = tasks.watch(me, { agentIds: [otherAgent, agentId], agentId: otherAgent, states: ['submitted'] });
    const a = await send('one', { contextId: 'c1' });
    const b = await send('fail: two', { contextId: 'c2' });
    const sent = await tasks.send(me, otherAgent, say('three'));
    await sent.answer();
    expect((await take(ends, 3)).map(({ taskId, to }) => [taskId, to])).toEqual([
      [a, 'completed'],
      [b, 'failed'],
      [sent.taskId, 'completed'],
    ]);
    const c = await send('four', { contextId: 'c1' });
    expect((await take(inContext, 2)).map(({ taskId }) => taskId)).toEqual([a, c]);
    expect((await take(ofOther, 2)).map(({ taskId }) => taskId)).toEqual([sent.taskId, sent.taskId]);
    expect(steps(await take(ofBoth, 1))).toEqual([[null, 'submitted', 1]]);
    const tooMany = { agentIds: Array.from({ length: 1_001 }, () => agentId) };
    expect(() => tasks.watch(me, tooMany)).toThrow(/agentIds/);
    for (const changes of [ends, inContext, ofOther, ofBoth]) await changes.return(undefined);
  });

  it('begins with what changed since a moment, each task as it is now, and goes on', async () => {
    const { tasks, me, send } = await setUp();
    await send('before');
    const { row } = await tasks.get(me, await send('ask: since?'));
    const streamed = await send('stream: a b');
    const changes = tasks.watch(me, { statusTimestampAfter: row.statusAt });
    expect(await take(changes, 2)).toMatchObject([
      { taskId: row.id, from: null, to: 'input-required', sequence: 2, merged: true },
      { taskId: streamed, from: null, to: 'completed', sequence: 5, merged: true },
    ]);
    const next = await send('next');
    expect(await take(changes, 2)).toMatchObject([
      { taskId: next, to: 'submitted', merged: false },
      { taskId: next, to: 'completed', merged: false },
    ]);
    await changes.return(undefined);
    expect(() => tasks.watch(me, { statusTimestampAfter: 'yesterday' })).toThrow(/statusTimestampAfter/);
  });

  it('loses no end of a task for a reader that is much too slow', async () => {
    const { tasks, me, agentId } = await setUp();
    const changes = tasks.watch(me);
    const tasksSent = MOST_WAITING + MOST_TASKS + 350;
    const sent = await Promise.all(Array.from({ length: tasksSent }, (_, i) => tasks.send(me, agentId, say(`t${i}`))));
    await Promise.all(sent.map((it) => it.answer()));
    const last = new Map<string, TaskChange>();
    let told = 0;
    while ([...last.values()].filter(({ to }) => to === 'completed').length < tasksSent) {
      const [change] = await take(changes, 1);
      expect(change!.sequence).toBeGreaterThanOrEqual(last.get(change!.taskId)?.sequence ?? 0);
      last.set(change!.taskId, change!);
      told++;
    }
    expect([...last.keys()].sort()).toEqual(sent.map((it) => it.taskId).sort());
    expect([...last.values()].some(({ merged }) => merged)).toBe(true);
    expect(told).toBeLessThan(2 * tasksSent);
    // Nothing is left over, and what comes next is told as it happens.
    const after = await tasks.send(me, agentId, say('after'));
    await after.answer();
    expect(await take(changes, 2)).toMatchObject([
      { taskId: after.taskId, to: 'submitted', merged: false },
      { taskId: after.taskId, to: 'completed', merged: false },
    ]);
    await changes.return(undefined);
  });

  it('tells of a change only once it is committed', async () => {
    const agent = scripted();
    const engine = await stack(open, { more: { edge: agent.executor } });
    onCleanup(async () => agent.end());
    const agentId = await engine.agent({ executionType: 'edge', url: 'http://127.0.0.1:9/' });
    const { tasks, me } = engine;
    const changes = tasks.watch(me);
    const sent = await tasks.send(me, agentId, say('go'));
    agent.say(working, completed);
    for (let i = 0; i < 3; i++) {
      const [change] = await take(changes, 1);
      const [row] = await engine.database.query<{ n: number }>('select last_sequence as n from task where id = $1', [
        sent.taskId,
      ]);
      expect(Number(row!.n)).toBeGreaterThanOrEqual(change!.sequence);
    }
    await changes.return(undefined);
  });

  it('ends with its signal, before the first read, and with the engine', async () => {
    const { tasks, me, send } = await setUp();
    const controller = new AbortController();
    const aborted = tasks.watch(me, {}, controller.signal);
    const waiting = aborted.next();
    controller.abort();
    expect((await waiting).done).toBe(true);
    const unread = tasks.watch(me);
    await unread.return(undefined);
    expect((await unread.next()).done).toBe(true);
    const open = tasks.watch(me);
    await send('one');
    await take(open, 2);
    const last = open.next();
    await tasks.close();
    expect((await last).done).toBe(true);
    expect((await tasks.watch(me).next()).done).toBe(true);
  });
});
