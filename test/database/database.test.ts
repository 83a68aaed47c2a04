import { describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../migrations/index.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { ProviderEntity } from '../../src/database/entities/index.ts';
import { newId } from '../../src/database/ids.ts';
import { toDate, toDateOrNull } from '../../src/database/values.ts';
import { createTestDatabase, DRIVERS, describeOnDrivers } from '../support/database.ts';

const providers = async (database: Database): Promise<number> =>
  (await database.query<{ n: number }>('select count(*)::int as n from provider'))[0]!.n;

const insertProvider = (name: string): [string, unknown[]] => [
  'insert into provider (id, name, owner, created_at, updated_at) values ($1, $2, $3, $4, $4)',
  [newId(), name, newId(), new Date()],
];

describeOnDrivers('migrations', (open, kind) => {
  test('make exactly the tables that the entities describe', async () => {
    const database = await open();
    expect(await database.orm.schema.getUpdateSchemaSQL()).toBe('');
  });

  test('run once: a second start finds nothing to do', async () => {
    const database = await open();
    expect(await database.pendingMigrations()).toEqual([]);
    expect(await database.migrate()).toEqual([]);
  });

  // The embedded database belongs to one process, so no two servers can migrate it.
  const onServers = kind === 'postgres' ? test : () => undefined;
  onServers('take turns when several servers start at the same moment', async () => {
    const { url, drop } = await createTestDatabase('postgres');
    const servers = await Promise.all([1, 2, 3].map(() => openDatabase({ databaseUrl: url, dataDir: '' })));
    try {
      const ran = await Promise.all(servers.map((server) => server.migrate()));
      expect(ran.flat()).toEqual(MIGRATIONS.map((m) => m.name));
      for (const server of servers) expect(await server.pendingMigrations()).toEqual([]);
    } finally {
      for (const server of servers) await server.close();
      await drop();
    }
  });
});

describeOnDrivers('transactions', (open) => {
  test('commit what was done by entities and by SQL together', async () => {
    const database = await open();
    await database.transaction(async ({ em, query }) => {
      const now = new Date();
      em.create(ProviderEntity, { id: newId(), name: 'One', owner: newId(), createdAt: now, updatedAt: now });
      await query(...insertProvider('Two'));
    });
    expect(await providers(database)).toBe(2);
  });

  test('roll all of it back when the work fails, and hand the failure on', async () => {
    const database = await open();
    const work = database.transaction(async ({ em, query }) => {
      const now = new Date();
      em.create(ProviderEntity, { id: newId(), name: 'One', owner: newId(), createdAt: now, updatedAt: now });
      await em.flush();
      await query(...insertProvider('Two'));
      throw new RangeError('on purpose');
    });
    await expect(work).rejects.toThrow(RangeError);
    expect(await providers(database)).toBe(0);
  });

  test('hide their rows from statements outside until the commit', async () => {
    const database = await open();
    let outside: Promise<number> | undefined;
    await database.transaction(async ({ query }) => {
      await query(...insertProvider('One'));
      outside = providers(database);
      await query('select 1');
    });
    // PostgreSQL answers at once, without the row; the embedded database has one connection and answers after the commit.
    expect(await outside).toBe(database.kind === 'pglite' ? 1 : 0);
  });

  test('may run many at once; a failing one does not touch the others', async () => {
    const database = await open();
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) =>
        database.transaction(async ({ query }) => {
          await query(...insertProvider(`P${i}`));
          await query('select 1');
          if (i % 3 === 0) throw new Error('on purpose');
        }),
      ),
    );
    expect(results.filter((r) => r.status === 'rejected')).toHaveLength(10);
    expect(await providers(database)).toBe(20);
  });

  test('leave the connection usable after a statement that the database refused', async () => {
    const database = await open();
    await expect(database.transaction(({ query }) => query('select 1/0'))).rejects.toThrow(/division by zero/);
    await database.transaction(async ({ query }) => void (await query(...insertProvider('After'))));
    expect(await providers(database)).toBe(1);
  });
});

describeOnDrivers('values', (open) => {
  test('moments keep their microseconds as text, and are dates to the millisecond', async () => {
    const database = await open();
    const sql = `select '2026-01-31 10:20:30.123456+02'::timestamptz as a, '2026-01-31 10:20:30Z'::timestamptz as b, '-infinity'::timestamptz as c, null::timestamptz as d`;
    const read = async (row: Record<string, string>) => [
      toDate(row['a']!).toISOString(),
      toDate(row['b']!).toISOString(),
      toDateOrNull(row['c']!),
      toDateOrNull(row['d']!),
    ];
    const expected = ['2026-01-31T08:20:30.123Z', '2026-01-31T10:20:30.000Z', null, null];
    const [row] = await database.query<Record<string, string>>(sql);
    expect(row).toEqual({
      a: '2026-01-31 08:20:30.123456+00',
      b: '2026-01-31 10:20:30+00',
      c: '-infinity',
      d: null,
    });
    expect(await read(row!)).toEqual(expected);
    const inside = await database.transaction(({ query }) => query<Record<string, string>>(sql));
    expect(await read(inside[0]!)).toEqual(expected);
  });

  test('a date comes back as the moment it was, from both kinds of statement', async () => {
    const database = await open();
    const at = new Date('2026-07-01T23:59:59.987Z');
    const [row] = await database.query<{ at: string }>('select $1::timestamptz as at', [at]);
    expect(toDate(row!.at)).toEqual(at);
    const [inside] = await database.transaction(({ query }) =>
      query<{ at: string }>('select $1::timestamptz as at', [at]),
    );
    expect(toDate(inside!.at)).toEqual(at);
  });

  test('counters are numbers, lists are arrays, JSON is parsed', async () => {
    const database = await open();
    const [row] = await database.query(
      `select 9007199254740991::bigint as n, array['a b', 'c,"d"']::text[] as l, '{"x":[1]}'::jsonb as j, $1::text[] as p`,
      [['x', '{y}', 'NULL', '']],
    );
    expect(row).toEqual({ n: 9007199254740991, l: ['a b', 'c,"d"'], j: { x: [1] }, p: ['x', '{y}', 'NULL', ''] });
  });
});

describe.skipIf(!DRIVERS.includes('postgres'))('an address without a server', () => {
  test('is told at opening, and soon', async () => {
    const started = performance.now();
    await expect(
      openDatabase({ databaseUrl: 'postgres://postgres@127.0.0.1:1/nothing', dataDir: '' }),
    ).rejects.toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
