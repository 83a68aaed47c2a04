import { beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { DATABASES, STARTING_MS, say, someone, stack } from './support.ts';

/** The same database, which counts statements. */
function counting(database: Database): Database & { statements: number } {
  const counted = {
    ...database,
    statements: 0,
    query: <Row>(...args: Parameters<Database['query']>) => {
      counted.statements++;
      return database.query<Row>(...args);
    },
  };
  return counted as Database & { statements: number };
}

describe.each(DATABASES)('tasks of agents on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const setUp = async () => {
    const database = counting(await open());
    const engine = await stack(open, { database, recovery: false });
    const agents = [await engine.echo(), await engine.echo(), await engine.echo()];
    const sent: string[][] = [[], [], []];
    for (let round = 0; round < 4; round++) {
      for (const n of [0, 1]) {
        const text = round % 2 === 0 ? `ask: ${round}` : `${round}`;
        const task = await engine.tasks.send(engine.me, agents[n]!, say(text, { contextId: `c${round}` }));
        await task.answer();
        sent[n]!.push(task.taskId);
      }
    }
    return { ...engine, database, agents, sent };
  };

  it('are pages of the same lists, read by one statement', async () => {
    const { tasks, me, agents, sent, database } = await setUp();
    const asked = [agents[2]!, agents[1]!, agents[0]!, agents[1]!.toUpperCase(), 'no id'];
    const newest = sent.map((ids) => ids.toReversed());
    const before = database.statements;
    const pages = await tasks.ofAgents(me, asked, { first: 3 });
    expect(database.statements - before).toBe(1);
    expect(pages.map((page) => page.items.map(({ item }) => item.id))).toEqual([
      [],
      newest[1]!.slice(0, 3),
      newest[0]!.slice(0, 3),
      newest[1]!.slice(0, 3),
      [],
    ]);
    expect(pages.map((page) => page.hasNextPage)).toEqual([false, true, true, true, false]);
    for (const [n, agentId] of agents.entries()) {
      const seen: string[] = [];
      let after: string | undefined;
      for (let more = true; more; ) {
        const [page] = await tasks.ofAgents(me, [agentId], { first: 3, after });
        seen.push(...page!.items.map(({ item }) => item.id));
        after = page!.items.at(-1)?.cursor;
        more = page!.hasNextPage;
      }
      expect(seen).toEqual(newest[n]);
      const listed = await tasks.list(me, { agentId, first: 50 });
      expect(listed.items.map(({ row }) => row.id)).toEqual(seen);
    }
  });

  it('are counted by one statement, and not past ten thousand', async () => {
    const { tasks, me, agents, database } = await setUp();
    const before = database.statements;
    expect(await tasks.totalsOfAgents(me, agents)).toEqual([
      { value: 4, exact: true },
      { value: 4, exact: true },
      { value: 0, exact: true },
    ]);
    expect(database.statements - before).toBe(1);
    expect(await tasks.totalsOfAgents(me, agents, { states: ['input-required'] })).toMatchObject([
      { value: 2 },
      { value: 2 },
      { value: 0 },
    ]);
    expect(await tasks.total(me)).toEqual({ value: 8, exact: true });
    expect(await tasks.total(me, { contextId: 'c1' })).toEqual({ value: 2, exact: true });
    await database.query(
      `insert into task (id, agent, context, owner, state, status_at, created_at, finished_at)
       select gen_random_uuid(), $1, 'many', $2, 'completed', now(), now(), now() from generate_series(1, 10000)`,
      [agents[2]!, me.subject],
    );
    expect(await tasks.totalsOfAgents(me, agents)).toMatchObject([{}, {}, { value: 10_000, exact: true }]);
    expect(await tasks.total(me)).toEqual({ value: 10_000, exact: false });
  });

  it('are shown to their owner, and to tasks:admin', async () => {
    const { tasks, me, agents } = await setUp();
    const stranger = someone();
    const own = await tasks.send(stranger, agents[0]!, say('mine'));
    await own.answer();
    const seen = async (principal: typeof me, request = {}) =>
      (await tasks.ofAgents(principal, agents, request)).map((page) => page.items.length);
    expect(await seen(stranger)).toEqual([1, 0, 0]);
    expect(await seen(stranger, { owner: me.subject })).toEqual([0, 0, 0]);
    const admin = someone(['tasks:read', 'tasks:admin']);
    expect(await seen(admin)).toEqual([5, 4, 0]);
    expect(await seen(admin, { owner: me.subject })).toEqual([4, 4, 0]);
    expect(await tasks.totalsOfAgents(stranger, agents)).toMatchObject([{ value: 1 }, { value: 0 }, { value: 0 }]);
    await expect(tasks.ofAgents(someone(['registry:read']), agents)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(tasks.totalsOfAgents(someone(['registry:read']), agents)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('wanted by several callers at once are read once, and judged for each', async () => {
    const { tasks, me, sent, database } = await setUp();
    const id = sent[0]![0]!;
    const callers = [me, someone(), someone(['tasks:read', 'tasks:admin']), someone(['registry:read']), me];
    const before = database.statements;
    const rows = await tasks.rowsSeenBy(callers.map((principal) => ({ id, principal })));
    expect(database.statements - before).toBe(1);
    expect(rows[0]).toMatchObject({ id, owner: me.subject });
    expect(rows[1]).toBeUndefined();
    expect(rows[2]).toMatchObject({ id });
    expect(rows[3]).toMatchObject({ code: 'FORBIDDEN' });
    expect(rows[4]).toMatchObject({ id });
    const contents = await tasks.contentsSeenBy(callers.map((principal) => ({ id, principal })));
    expect(database.statements - before).toBe(3);
    expect(contents[0]).toEqual({ artifacts: [], ...(await tasks.get(me, id)).task });
    expect(contents[1]).toBeUndefined();
    expect(contents[3]).toMatchObject({ code: 'FORBIDDEN' });
    expect(await tasks.rowsSeenBy([{ id: 'no id', principal: me }])).toEqual([undefined]);
  });
});
