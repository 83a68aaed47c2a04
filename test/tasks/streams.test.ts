import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TaskStreamItem } from '../../src/tasks/tasks.ts';
import { chunk, completed, scripted, working } from './scripted.ts';
import { collect, DATABASES, onCleanup, STARTING_MS, say, stack } from './support.ts';

const sequences = (items: readonly TaskStreamItem[]) => items.map((item) => item.sequence);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe.each(DATABASES)('streams of a task on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const setUp = async () => {
    const agent = scripted();
    const engine = await stack(open, { more: { edge: agent.executor } });
    onCleanup(async () => agent.end());
    const agentId = await engine.agent({ executionType: 'edge', url: 'http://127.0.0.1:9/' });
    const sent = await engine.tasks.send(engine.me, agentId, say('go'));
    return { ...engine, agentOf: agent, sent, id: sent.taskId };
  };

  it('begin with a snapshot and go on after its sequence', async () => {
    const { tasks, me, id, agentOf } = await setUp();
    const early = await tasks.subscribe(me, id);
    expect((await early.next()).value).toMatchObject({ kind: 'snapshot', sequence: 1, state: 'submitted' });
    agentOf.say(working, chunk('a'));
    expect((await early.next()).value).toMatchObject({ kind: 'status', sequence: 2, state: 'working' });
    expect((await early.next()).value).toMatchObject({ kind: 'artifact', sequence: 3, state: 'working' });
    const late = await tasks.subscribe(me, id);
    expect((await late.next()).value).toMatchObject({
      kind: 'snapshot',
      sequence: 3,
      event: { task: { artifacts: [{ parts: [{ text: 'a' }] }] } },
    });
    agentOf.say(completed);
    expect((await collect(early)).map((item) => item.state)).toEqual(['completed']);
    expect(sequences(await collect(late))).toEqual([4]);
  });

  it('continue after a cursor without a snapshot, also when the task has ended', async () => {
    const { tasks, me, id, agentOf, sent } = await setUp();
    agentOf.say(working, chunk('a'), chunk('b'), completed);
    await sent.answer();
    for (let after = 0; after <= 5; after++) {
      const items = await collect(await tasks.subscribe(me, id, { after }));
      expect(sequences(items)).toEqual(upTo(5).slice(after));
      expect(items.every((item) => item.kind !== 'snapshot')).toBe(true);
    }
    const third = await collect(await tasks.subscribe(me, id, { after: 2 }));
    expect(third.map((item) => item.state)).toEqual(['working', 'working', 'completed']);
  });

  it('refuse a cursor that is ahead of the log, or none', async () => {
    const { tasks, me, id } = await setUp();
    for (const after of [2, -1, 1.5, Number.NaN]) {
      await expect(tasks.subscribe(me, id, { after })).rejects.toMatchObject({ code: 'INVALID_INPUT', field: 'after' });
    }
  });

  it('answer a cursor that was compacted away with a snapshot marked reset', async () => {
    const { tasks, me, id, agentOf, sent, database } = await setUp();
    agentOf.say(working, chunk('a'), completed);
    await sent.answer();
    await database.query('delete from task_event where task = $1 and sequence < 3', [id]);
    const [first] = await collect(await tasks.subscribe(me, id, { after: 1 }));
    expect(first).toMatchObject({ kind: 'snapshot', reset: true, sequence: 4, state: 'completed' });
    expect(sequences(await collect(await tasks.subscribe(me, id, { after: 2 })))).toEqual([3, 4]);
  });

  it('give a slow reader everything, and hold up nobody', async () => {
    const { tasks, me, id, agentOf, sent } = await setUp();
    const slow = await tasks.subscribe(me, id, { after: 0 });
    expect((await slow.next()).value?.sequence).toBe(1);
    const n = 1_200;
    agentOf.say(working, ...Array.from({ length: n }, (_, i) => chunk(`${i}`)), completed);
    expect((await sent.answer()).task?.artifacts?.[0]?.parts).toHaveLength(n);
    expect(sequences(await collect(slow))).toEqual(upTo(n + 3).slice(1));
  });

  it('end with a failure when an agent says what cannot be stored, and nobody else is troubled', async () => {
    const { tasks, me, agentOf, sent, echo } = await setUp();
    const fine = await echo();
    const others = Promise.all(
      Array.from({ length: 20 }, async () => (await tasks.send(me, fine, say('fine'))).answer()),
    );
    agentOf.say({ task: { id: 'nul \u0000', status: { state: 'completed' } } });
    const { task } = await sent.answer();
    expect(task?.status).toMatchObject({
      state: 'failed',
      message: { parts: [{ text: expect.stringMatching(/could not be stored/) }] },
    });
    expect((await others).map((it) => it.task?.status.state)).toEqual(Array(20).fill('completed'));
  });

  it('keep every character that JSON can write', async () => {
    const { tasks, me, id, agentOf, sent } = await setUp();
    const odd = '\u0000 \ud800 \u2028 "\\';
    agentOf.say(chunk(odd), { statusUpdate: { taskId: 'up-1', status: { state: 'completed' } } });
    await sent.answer();
    expect((await tasks.get(me, id)).task.artifacts?.[0]?.parts).toEqual([{ text: odd }]);
  });

  it('end at once when their reader goes, though nothing comes', async () => {
    const { tasks, me, id } = await setUp();
    const stream = await tasks.subscribe(me, id);
    await stream.next();
    const waiting = stream.next();
    await stream.return(undefined);
    expect((await waiting).done).toBe(true);
    const stop = new AbortController();
    const aborted = await tasks.subscribe(me, id, { signal: stop.signal });
    await aborted.next();
    const pending = aborted.next();
    stop.abort();
    expect((await pending).done).toBe(true);
  });

  it('reach readers of another replica that hears no notice', async () => {
    const { tasks, me, id, agentOf, replica } = await setUp();
    const other = await replica();
    const far = collect(await other.tasks.subscribe(me, id));
    agentOf.say(working, chunk('a'), completed);
    await collect(await tasks.subscribe(me, id, { after: 0 }));
    const items = await far;
    expect(items.at(-1)?.state).toBe('completed');
    const first = items[0]?.sequence ?? 0;
    expect(sequences(items)).toEqual(upTo(4).slice(first - 1));
  });

  it('have no gap and no duplicate, whenever they begin and however they are read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.record({ at: fc.nat(6), pause: fc.boolean(), cursor: fc.boolean() }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (bursts, readers) => {
          const { executor, say: tell, end } = scripted();
          const engine = await stack(open, { more: { edge: executor } });
          const agentId = await engine.agent({ executionType: 'edge', url: 'http://127.0.0.1:9/' });
          const sent = await engine.tasks.send(engine.me, agentId, say('go'));
          const reads: Promise<{ from: number; items: TaskStreamItem[] }>[] = [];
          const read = async (pause: boolean, cursor: boolean) => {
            const stream = await engine.tasks.subscribe(engine.me, sent.taskId, cursor ? { after: 0 } : {});
            const items: TaskStreamItem[] = [];
            for await (const item of stream) {
              items.push(item);
              if (pause) await new Promise((resolve) => setImmediate(resolve));
            }
            return { from: items[0]?.sequence ?? 0, items };
          };
          for (const [i, size] of bursts.entries()) {
            for (const reader of readers) if (reader.at === i) reads.push(read(reader.pause, reader.cursor));
            tell(...Array.from({ length: size }, (_, j) => chunk(`${i}-${j}`)));
            await new Promise((resolve) => setImmediate(resolve));
          }
          for (const reader of readers) if (reader.at >= bursts.length) reads.push(read(reader.pause, reader.cursor));
          tell(completed);
          await sent.answer();
          const last = bursts.reduce((a, b) => a + b, 0) + 2;
          for (const { from, items } of await Promise.all(reads)) {
            expect(sequences(items)).toEqual(upTo(last).slice(from - 1));
            expect(items.at(-1)?.state).toBe('completed');
          }
          end();
        },
      ),
      { numRuns: 25 },
    );
  });
});
