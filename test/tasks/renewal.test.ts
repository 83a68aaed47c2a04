import { beforeAll, describe, expect, it } from 'vitest';
import { chunk, scripted, working } from './scripted.ts';
import { DATABASES, onCleanup, STARTING_MS, say, stack } from './support.ts';

const server = DATABASES.find(({ name }) => name === 'PostgreSQL');

// The embedded database has one connection: nothing of it is locked for anybody else.
const skipped = server === undefined ? ' (skipped: set ROLLCALL_TEST_POSTGRES to a server)' : '';

describe.skipIf(server === undefined)(`renewing leases on PostgreSQL${skipped}`, () => {
  const open = () => server!.open();
  beforeAll(open, STARTING_MS);

  it('does not wait for a task that is being written to, and renews it the next time', async () => {
    const agents = [scripted(), scripted()];
    const more = { edge: agents[0]!.executor, docker: agents[1]!.executor };
    const engine = await stack(open, { recovery: false, more });
    onCleanup(async () => agents.forEach((agent) => void agent.end()));
    const { tasks, me, database } = engine;
    const ids: string[] = [];
    for (const [n, executionType] of (['edge', 'docker'] as const).entries()) {
      const agentId = await engine.agent({ executionType, url: 'http://127.0.0.1:9/' });
      const { taskId } = await tasks.send(me, agentId, say('work'));
      agents[n]!.say(working, chunk('one'));
      await expect.poll(async () => (await tasks.get(me, taskId)).row.lastSequence).toBe(3);
      ids.push(taskId);
    }
    const untilOf = async (id: string): Promise<number> => {
      const [row] = await database.query<{ ms: number }>(
        'select extract(epoch from lease_until) * 1000 as ms from task where id = $1',
        [id],
      );
      return Number(row!.ms);
    };
    const before = await Promise.all(ids.map(untilOf));
    for (const [written, other] of [ids, ids.toReversed()]) {
      await database.transaction(async ({ query }) => {
        await query('update task set status_at = status_at where id = $1', [written]);
        const stood = await untilOf(written!);
        const had = await untilOf(other!);
        await tasks.recover();
        expect(await untilOf(other!)).toBeGreaterThan(had);
        expect(await untilOf(written!)).toBe(stood);
      });
    }
    await tasks.recover();
    const after = await Promise.all(ids.map(untilOf));
    for (const [n, until] of after.entries()) expect(until).toBeGreaterThan(before[n]!);
  });
});
