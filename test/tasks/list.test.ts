import { beforeAll, describe, expect, it } from 'vitest';
import { collect, DATABASES, STARTING_MS, say, someone, stack } from './support.ts';

describe.each(DATABASES)('lists of tasks on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const filled = async () => {
    const engine = await stack(open);
    const agentId = await engine.echo();
    const texts = ['one', 'fail: two', 'ask: three', 'four', 'stream: five six', 'seven', 'message: eight'];
    const ids: string[] = [];
    for (const text of texts) {
      const sent = await engine.tasks.send(engine.me, agentId, say(text, { contextId: `c${ids.length % 2}` }));
      await sent.answer();
      ids.push(sent.taskId);
    }
    return { ...engine, agentId, ids };
  };

  it('show every task once, newest status first, whatever the page size', async () => {
    const { tasks, me, ids } = await filled();
    for (const first of [1, 2, 3, 7, 50]) {
      const seen: string[] = [];
      let after: string | undefined;
      for (let more = true; more; ) {
        const page = await tasks.list(me, { first, after });
        seen.push(...page.items.map((item) => item.row.id));
        after = page.items.at(-1)?.cursor;
        more = page.hasNextPage;
      }
      expect(seen).toEqual([...ids].reverse());
    }
    expect(await tasks.count(me)).toBe(7);
  });

  it('order tasks of the same moment by id, across pages', async () => {
    const { tasks, me, ids, database } = await filled();
    await database.query(`update task set status_at = '2026-01-02T03:04:05.678901Z' where owner = $1`, [me.subject]);
    const seen: string[] = [];
    let after: string | undefined;
    for (let i = 0; i < ids.length; i++) {
      const page = await tasks.list(me, { first: 1, after });
      seen.push(...page.items.map((item) => item.row.id));
      after = page.items[0]?.cursor;
    }
    expect(seen).toEqual([...ids].sort().reverse());
  });

  it('are refused as a page where they are too large for one answer', async () => {
    const { tasks, me, ids, database } = await filled();
    const artifact = `json_build_object('artifact', json_build_object('artifactId', 'big',
      'parts', json_build_array(json_build_object('text', repeat('x', 25000000)))))`;
    await database.query(
      `insert into task_event (task, sequence, kind, payload, at)
       select id, last_sequence + 1, 'artifact', ${artifact}, now() from task where id = any($1::uuid[])`,
      [ids.slice(0, 3)],
    );
    const page = { includeArtifacts: true, first: 7 };
    await expect(tasks.list(me, page)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect((await tasks.list(me, { ...page, includeArtifacts: false })).items).toHaveLength(7);
    const two = await tasks.list(me, { ...page, first: 5 });
    expect(two.items.map(({ task }) => task.artifacts?.at(-1)?.artifactId === 'big')).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('are narrowed by agent, context, state and time', async () => {
    const { tasks, me, agentId, ids } = await filled();
    const list = async (filter: Parameters<typeof tasks.list>[1]) =>
      (await tasks.list(me, filter)).items.map((item) => ids.indexOf(item.row.id)).sort();
    expect(await list({ agentId })).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(await list({ agentId: '00000000-0000-4000-8000-00000000abcd' })).toEqual([]);
    expect(await list({ agentId: 'no id' })).toEqual([]);
    expect(await list({ contextId: 'c1' })).toEqual([1, 3, 5]);
    expect(await list({ contextId: 'nul \u0000' })).toEqual([]);
    expect(await list({ states: ['failed', 'input-required'] })).toEqual([1, 2]);
    const { row } = await tasks.get(me, ids[4]!);
    expect(await list({ statusTimestampAfter: row.statusAt })).toEqual([4, 5, 6]);
    expect(await list({ owner: someone().subject })).toEqual([]);
  });

  it('hold histories and artifacts only as far as they are asked for', async () => {
    const { tasks, me } = await filled();
    const bare = (await tasks.list(me)).items;
    expect(bare.every(({ task }) => !('artifacts' in task) && !('history' in task))).toBe(true);
    const full = (await tasks.list(me, { historyLength: 1, includeArtifacts: true })).items;
    for (const { row, task } of full) {
      const { task: stored } = await tasks.get(me, row.id, { historyLength: 1 });
      expect(task).toEqual({ artifacts: [], ...stored });
    }
  });

  it('belong to their owner; tasks:admin sees everyone’s, or one owner’s', async () => {
    const { tasks, me, ids } = await filled();
    expect((await tasks.list(someone())).items).toEqual([]);
    const admin = someone(['tasks:read', 'tasks:admin']);
    expect((await tasks.list(admin, { owner: me.subject })).items).toHaveLength(7);
    expect(await tasks.count(admin)).toBeGreaterThanOrEqual(7);
    const rows = await tasks.rowsById(me, [ids[3]!, 'no id', ids[0]!]);
    expect(rows.map((row) => row?.id)).toEqual([ids[3], undefined, ids[0]]);
    expect(await tasks.rowsById(someone(), ids)).toEqual(ids.map(() => undefined));
  });

  it('refuse page sizes and cursors that are none', async () => {
    const { tasks, me } = await stack(open);
    await expect(tasks.list(me, { first: 0 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(tasks.list(me, { after: 'x' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const foreign = Buffer.from(JSON.stringify(['taskStatus', "'; drop table task", 'x'])).toString('base64url');
    await expect(tasks.list(me, { after: foreign })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    // The form of a moment and of an id, and neither: the database would refuse them.
    const id = '00000000-0000-7000-8000-000000000000';
    for (const keys of [
      ['2026-02-31 10:00:00+00', id],
      ['2026-13-01 10:00:00+00', id],
      ['2026-01-01 10:00:00+00', '-'.repeat(36)],
    ]) {
      const after = Buffer.from(JSON.stringify(['taskStatus', ...keys])).toString('base64url');
      await expect(tasks.list(me, { after })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it('stream and list agree', async () => {
    const { tasks, me, ids } = await filled();
    const items = await collect(await tasks.subscribe(me, ids[4]!));
    expect(items[0]?.event.task).toEqual((await tasks.get(me, ids[4]!)).task);
  });
});
