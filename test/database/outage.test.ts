import { expect, test } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { toRollcallError } from '../../src/errors.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { describeOnDrivers, onServer } from '../support/database.ts';
import { failure } from '../support/registry.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const cleanup = afterTheTest();

const codeOf = async (work: Promise<unknown>): Promise<string> => toRollcallError(await failure(work)).code;

describeOnDrivers(
  'a database that goes away and comes back',
  (open) => {
    test('answers DATABASE_UNAVAILABLE meanwhile, then works without a restart', async () => {
      const proxy = await startTcpProxy(new URL((await open()).url!), 5432);
      cleanup(() => proxy.close());
      const database = await openDatabase({ databaseUrl: proxy.url, dataDir: '' });
      cleanup(() => database.close());
      await Promise.all(Array.from({ length: 5 }, () => database.query('select pg_sleep(0.01)')));

      const running = codeOf(database.query('select pg_sleep(60)'));
      await database.query('select 1');
      await proxy.cut();
      expect(await running).toBe('DATABASE_UNAVAILABLE');
      expect(await codeOf(database.query('select 1'))).toBe('DATABASE_UNAVAILABLE');
      expect(await codeOf(database.transaction(({ query }) => query('select 1')))).toBe('DATABASE_UNAVAILABLE');

      await proxy.mend();
      expect(await database.query('select 1 as n')).toEqual([{ n: 1 }]);
      expect(await database.transaction(({ query }) => query('select 1 as n'))).toEqual([{ n: 1 }]);
    });

    test('a backend that is terminated in a transaction fails it as unavailable, and nothing of it stays', async () => {
      const database = await open();
      const work = database.transaction(async ({ query }) => {
        await query(
          `insert into provider (id, name, owner, created_at, updated_at) values (gen_random_uuid(), 'Lost', gen_random_uuid(), now(), now())`,
        );
        const [me] = await query<{ pid: number }>('select pg_backend_pid() as pid');
        await onServer(`select pg_terminate_backend(${me!.pid}, 5000)`);
        await query('select 1');
      });
      expect(await codeOf(work)).toBe('DATABASE_UNAVAILABLE');
      expect(await database.query('select 1 from provider')).toEqual([]);
    });

    test('idle connections that the server ends do not bring the process down', async () => {
      const database = await open();
      await Promise.all(Array.from({ length: 4 }, () => database.query('select pg_sleep(0.01)')));
      const name = new URL(database.url!).pathname.slice(1);
      await onServer(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`,
      );
      // The first may still be handed a connection whose end has not been noticed.
      await database
        .query('select 1')
        .catch((error) => expect(toRollcallError(error).code).toBe('DATABASE_UNAVAILABLE'));
      expect(await database.query('select 1 as n')).toEqual([{ n: 1 }]);
    });
  },
  ['postgres'],
);
