import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, afterEach, describe } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.ts';

export type DriverKind = 'pglite' | 'postgres';

const POSTGRES = process.env['ROLLCALL_TEST_POSTGRES'];

/** The databases that suites run on: the embedded one always, PostgreSQL where there is one. */
export const DRIVERS: readonly DriverKind[] = POSTGRES ? ['pglite', 'postgres'] : ['pglite'];

/** A migrated database of one test. */
export interface TestDatabase extends Database {
  /** Where another process finds it; undefined for the embedded one, which is in memory. */
  readonly url: string | undefined;
}

/** What an embedded database begins as; test/support/services.ts makes it once a run. */
export function emptyDatabase(): Blob | undefined {
  const file = process.env['ROLLCALL_TEST_TEMPLATE'];
  return file === undefined ? undefined : new Blob([readFileSync(file)]);
}

let made = 0;

/** One statement on the PostgreSQL server, outside the databases of the tests. */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: POSTGRES });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A name for a database of this run, so that the end of the run finds and drops it. */
const freshName = (): string => `${process.env['ROLLCALL_TEST_DATABASES'] ?? 'rollcall_test_'}${process.pid}_${++made}`;

/** An empty database, and the function that removes it. */
export async function createTestDatabase(kind: DriverKind): Promise<{ url: string; drop(): Promise<void> }> {
  if (kind === 'pglite') return { url: 'memory://', drop: async () => undefined };
  const name = freshName();
  await onServer(`create database "${name}"`);
  const url = new URL(POSTGRES!);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`drop database if exists "${name}" with (force)`) };
}

/** Embedded databases that wait for the next test: one takes seconds to start and milliseconds to empty. */
const idle: Database[] = [];
afterAll(async () => {
  for (const database of idle.splice(0)) await database.close();
});

async function openEmbedded(): Promise<TestDatabase> {
  let database = idle.pop();
  if (database === undefined) {
    database = await openDatabase({ databaseUrl: 'memory://', dataDir: '/nonexistent', template: emptyDatabase() });
    await database.migrate();
  }
  const reused = database;
  return {
    ...reused,
    url: undefined,
    async close() {
      const tables = await reused.query<{ name: string }>(
        `select quote_ident(tablename) as name from pg_tables where schemaname = 'public' and tablename <> 'migration'`,
      );
      // The audit log refuses to be emptied: only a superuser of the database can ask it not to look.
      await reused.query('set session_replication_role = replica');
      await reused.query(`truncate ${tables.map((t) => t.name).join(', ')} restart identity cascade`);
      await reused.query('set session_replication_role = origin');
      idle.push(reused);
    },
  };
}

async function openOnServer(): Promise<TestDatabase> {
  const { url, drop } = await createTestDatabase('postgres');
  const database = await openDatabase({ databaseUrl: url, dataDir: '/nonexistent' });
  await database.migrate();
  return {
    ...database,
    url,
    async close() {
      await database.close();
      await drop();
    },
  };
}

/** A migrated database without rows. `close` also removes it. A test that changes its tables opens one of its own. */
export const openTestDatabase = (kind: DriverKind): Promise<TestDatabase> =>
  kind === 'pglite' ? openEmbedded() : openOnServer();

/**
 * One suite on every driver. `open` gives a migrated database that is removed after the test. A suite that shares one
 * among its tests opens it by {@link openTestDatabase} in a beforeAll.
 */
export function describeOnDrivers(
  name: string,
  suite: (open: () => Promise<TestDatabase>, kind: DriverKind) => void,
  only: readonly DriverKind[] = ['pglite', 'postgres'],
): void {
  for (const kind of only) {
    const run = DRIVERS.includes(kind) ? describe : describe.skip;
    run(`${name} (${kind === 'pglite' ? 'embedded' : 'PostgreSQL'})`, () => {
      const opened: TestDatabase[] = [];
      afterEach(async () => {
        for (const database of opened.splice(0)) await database.close();
      });
      suite(async () => {
        const database = await openTestDatabase(kind);
        opened.push(database);
        return database;
      }, kind);
    });
  }
}
