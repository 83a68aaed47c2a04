import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { toRollcallError } from '../../src/errors.ts';
import { chunk, completed, scripted, working } from './scripted.ts';
import { collect, DATABASES, onCleanup, say, stack } from './support.ts';

const server = DATABASES.find((database) => database.name === 'PostgreSQL');

describe.skipIf(server === undefined)(
  `a database whose connections break${server === undefined ? ' (skipped: set ROLLCALL_TEST_POSTGRES to a server)' : ''}`,
  () => {
    it('loses no event of an agent, and repeats none', async () => {
      const agent = scripted();
      const { tasks, me, agent: register, database } = await stack(server!.open, { more: { edge: agent.executor } });
      onCleanup(async () => agent.end());
      const agentId = await register({ executionType: 'edge', url: 'http://127.0.0.1:9/' });
      const sent = await tasks.send(me, agentId, say('go'));
      const n = 300;
      agent.say(working);
      let killed = 0;
      for (let i = 0; i < n; i++) {
        agent.say(chunk(`${i}`));
        if (i % 60 === 30) {
          // The connection that asks may itself have been broken the time before: then nothing is broken this time.
          const rows = await database
            .query<{ pid: number }>(
              `select pg_terminate_backend(pid) as done, pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
            )
            .catch(() => []);
          killed += rows.length;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      agent.say(completed);
      const { task } = await sent.answer();
      expect(killed).toBeGreaterThan(0);
      expect(task?.status.state).toBe('completed');
      const log = await collect(await tasks.subscribe(me, sent.taskId, { after: 0 }));
      const words = log.flatMap((item) => item.event.artifactUpdate?.artifact.parts.map((part) => part.text) ?? []);
      expect(words).toEqual(Array.from({ length: n }, (_, i) => `${i}`));
    });

    it('waits for one that takes no writes, as after a failover', async () => {
      const agent = scripted();
      const { tasks, me, agent: register, database } = await stack(server!.open, { more: { edge: agent.executor } });
      onCleanup(async () => agent.end());
      const agentId = await register({ executionType: 'edge', url: 'http://127.0.0.1:9/' });
      const sent = await tasks.send(me, agentId, say('go'));
      const [{ name } = { name: '' }] = await database.query<{ name: string }>('select current_database() as name');
      const url = new URL(process.env['ROLLCALL_TEST_POSTGRES']!);
      url.pathname = `/${name}`;
      const admin = new pg.Client({ connectionString: url.href, options: '-c default_transaction_read_only=off' });
      await admin.connect();
      const readOnly = async (setting: 'on' | 'off'): Promise<void> => {
        await admin.query(`alter database ${name} set default_transaction_read_only = ${setting}`);
        await admin.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
        );
      };
      await readOnly('on');
      // The connections that were broken say so first.
      const refusal = (): Promise<unknown> => tasks.send(me, agentId, say('more')).catch((error: unknown) => error);
      await expect.poll(refusal).toMatchObject({ code: '25006' });
      expect(toRollcallError(await refusal()).code).toBe('DATABASE_UNAVAILABLE');
      agent.say(working, completed);
      await readOnly('off');
      await admin.end();
      const { task } = await sent.answer();
      expect(task?.status.state).toBe('completed');
    });
  },
);
