import { beforeAll, describe, expect, it } from 'vitest';
import type { StreamEvent } from '../../src/protocol/a2a/model.ts';
import type { TaskStreamItem } from '../../src/tasks/tasks.ts';
import { chunk, completed, scripted, working } from './scripted.ts';
import { collect, DATABASES, onCleanup, STARTING_MS, say, stack } from './support.ts';

const DAY = 86_400_000;
const spoken: StreamEvent = {
  statusUpdate: {
    taskId: 'up-1',
    contextId: 'up-c',
    status: { state: 'working', message: { messageId: 'm-1', role: 'agent', parts: [{ text: 'on it' }] } },
  },
};

describe.each(DATABASES)('logs of tasks that ended long ago, on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const setUp = async (logRetentionMs = 30 * DAY) => {
    const engine = await stack(open, { logRetentionMs, recovery: false });
    const { database, tasks, me } = engine;
    /** A task that ended `days` ago, with all kinds of entries in its log. */
    const ended = async (days: number, ...events: StreamEvent[]) => {
      const agent = scripted();
      const { agent: register, tasks: sender } = await stack(open, { more: { edge: agent.executor }, recovery: false });
      onCleanup(async () => agent.end());
      const agentId = await register({ executionType: 'edge', url: 'http://127.0.0.1:9/' });
      const sent = await sender.send(me, agentId, say('go'));
      agent.say(...(events.length > 0 ? events : [spoken, working, chunk('a'), chunk('b'), completed]));
      await sent.answer();
      await database.query(`update task set finished_at = finished_at - $2::int * interval '1 day' where id = $1`, [
        sent.taskId,
        days,
      ]);
      return sent.taskId;
    };
    const kinds = async (id: string): Promise<string[]> =>
      (
        await database.query<{ kind: string }>('select kind from task_event where task = $1 order by sequence', [id])
      ).map(({ kind }) => kind);
    return { ...engine, tasks, ended, kinds };
  };

  it('are folded into one entry, from which the same task is read in every way', async () => {
    const { tasks, me, ended, kinds } = await setUp();
    const id = await ended(31);
    const read = async () => ({
      got: await tasks.get(me, id),
      short: (await tasks.get(me, id, { historyLength: 1 })).task,
      content: await tasks.contentsById(me, [id]),
      listed: (await tasks.list(me, { historyLength: 9, includeArtifacts: true })).items.map(({ task }) => task),
      bare: (await tasks.list(me)).items.map(({ task }) => task),
      stream: (await collect(await tasks.subscribe(me, id))).map(({ event, state, sequence }) => [
        event,
        state,
        sequence,
      ]),
    });
    const before = await read();
    expect(before.got.task).toMatchObject({
      artifacts: [{ parts: [{ text: 'a' }, { text: 'b' }] }],
      history: [{}, {}],
    });
    await tasks.tidy();
    expect(await kinds(id)).toEqual(['snapshot']);
    expect(await read()).toEqual(before);
    await tasks.tidy();
    expect(await kinds(id)).toEqual(['snapshot']);
    expect(await read()).toEqual(before);
  });

  it('keep what was a message a message, and no others are touched', async () => {
    const { tasks, me, ended, kinds, database } = await setUp();
    const old = await ended(31, { message: { messageId: 'm-9', role: 'agent', parts: [{ text: 'hello' }] } });
    const young = await ended(29);
    const { taskId: open } = await tasks.send(me, await (await stack(async () => database)).echo(), say('ask: well?'));
    await tasks.tidy();
    expect(await kinds(old)).toEqual(['snapshot']);
    expect((await kinds(young)).length).toBeGreaterThan(3);
    expect(await kinds(open)).toContain('created');
    const { row, task } = await tasks.get(me, old);
    expect(row.resultKind).toBe('message');
    expect(task.status.message?.parts).toEqual([{ text: 'hello' }]);
  });

  it('answer every old cursor with a snapshot marked reset, and the last one with nothing', async () => {
    const { tasks, me, ended } = await setUp();
    const id = await ended(31);
    const { task, sequence } = await tasks.get(me, id);
    await tasks.tidy();
    for (let after = 0; after < sequence; after++) {
      expect(await collect(await tasks.subscribe(me, id, { after }))).toMatchObject([
        { kind: 'snapshot', reset: true, sequence, state: 'completed', event: { task } },
      ]);
    }
    expect(await collect(await tasks.subscribe(me, id, { after: sequence }))).toEqual([]);
  });

  it('may be folded while they are read: a reader gets the rest, or all of it again', async () => {
    const { tasks, me, ended } = await setUp();
    const id = await ended(31, working, ...Array.from({ length: 1_200 }, (_, i) => chunk(`${i}`)), completed);
    const { task, sequence } = await tasks.get(me, id);
    const stream = await tasks.subscribe(me, id, { after: 0 });
    const read: TaskStreamItem[] = [];
    for (let i = 0; i < 100; i++) read.push((await stream.next()).value as TaskStreamItem);
    await tasks.tidy();
    read.push(...(await collect(stream)));
    const last = read.at(-1)!;
    expect(last).toMatchObject({ kind: 'snapshot', reset: true, sequence, event: { task } });
    expect(read.slice(0, -1).map((it) => it.sequence)).toEqual(read.slice(0, -1).map((_, i) => i + 1));
    expect(read.length).toBeLessThan(1_200);
  });

  it('are folded once when several replicas do so together, many of them', async () => {
    const { tasks, me, ended, kinds, replica, database } = await setUp();
    const others = [await replica({ logRetentionMs: DAY, recovery: false }), await replica({ logRetentionMs: DAY })];
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(await ended(31));
    // More than one batch, by copies of the log of the first.
    await database.query(
      `with copies as (
         insert into task (id, agent, context, owner, dialect, state, status_at, last_sequence, finished_at, created_at)
         select gen_random_uuid(), agent, context, owner, dialect, state, status_at, last_sequence, finished_at, created_at
         from task, generate_series(1, 45) where id = $1 returning id
       ) insert into task_event (task, sequence, kind, payload, at)
         select copies.id, e.sequence, e.kind, e.payload, e.at from copies, task_event e where e.task = $1`,
      [ids[0]],
    );
    await Promise.all([tasks, ...others.map((it) => it.tasks)].map((it) => it.tidy()));
    for (const id of ids) expect(await kinds(id)).toEqual(['snapshot']);
    const [left] = await database.query<{ n: number }>(
      `select count(*) as n from task_event e join task t on t.id = e.task where t.owner = $1 and e.kind <> 'snapshot'`,
      [me.subject],
    );
    expect(Number(left!.n)).toBe(0);
    const { items } = await tasks.list(me, { first: 100, includeArtifacts: true });
    expect(items).toHaveLength(48);
    for (const { task } of items) expect(task.artifacts).toEqual(items[0]!.task.artifacts);
  });

  it('are kept for ever when told so', async () => {
    const { tasks, ended, kinds } = await setUp(0);
    const id = await ended(9_000);
    await tasks.tidy();
    expect(await kinds(id)).not.toContain('snapshot');
  });
});

describe.each(DATABASES)('old Idempotency-Keys on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  it('are removed after their day, in batches, and the young ones stay', async () => {
    const { tasks, me, echo, database } = await stack(open, { recovery: false });
    const agentId = await echo();
    const [old, young] = [
      await tasks.send(me, agentId, say('a'), { idempotencyKey: 'old' }),
      await tasks.send(me, agentId, say('b'), { idempotencyKey: 'young' }),
    ];
    await Promise.all([old.answer(), young.answer()]);
    await database.query(
      `insert into task_key (key, task, at)
       select 'filler ' || n || $1, $1::uuid, now() - interval '25 hours' from generate_series(1, 2500) n`,
      [old.taskId],
    );
    await database.query(`update task_key set at = now() - interval '25 hours' where task = $1`, [old.taskId]);
    await tasks.tidy();
    const left = await database.query<{ task: string }>('select task from task_key where task = any($1::uuid[])', [
      [old.taskId, young.taskId],
    ]);
    expect(left).toEqual([{ task: young.taskId }]);
  });
});
