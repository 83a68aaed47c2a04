import pg from 'pg';
import { afterEach, describe } from 'vitest';
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

let made = 0;

async function onServer(sql: string): Promise<void> {
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

/** A migrated database. `close` also removes it. */
export async function openTestDatabase(kind: DriverKind): Promise<TestDatabase> {
  const { url, drop } = await createTestDatabase(kind);
  const database = await openDatabase({ databaseUrl: url, dataDir: '/nonexistent' });
  await database.migrate();
  return {
    ...database,
    url: kind === 'postgres' ? url : undefined,
    async close() {
      await database.close();
      await drop();
    },
  };
}

/** One suite on every driver. `open` gives a migrated database that is removed after the test. */
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
