import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

/** Names of databases made by tests begin with this and the id of the run. */
export const DATABASE_PREFIX = 'rollcall_test_';

const SERVICES = [
  {
    variable: 'ROLLCALL_TEST_POSTGRES',
    example: 'postgres://postgres@127.0.0.1:5432/postgres',
    what: 'tests on PostgreSQL',
  },
] as const;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs once before all tests: builds what is started as a process, says what is skipped, and leaves no database behind. */
export default async function setup(): Promise<() => Promise<void>> {
  for (const { variable, example, what } of SERVICES) {
    if (!process.env[variable]) console.log(`skipped: ${what} (set ${variable}, for instance ${example}, to run them)`);
  }
  const build = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  // Only the tests that start a process fail for it (server-process.ts).
  if (build.status !== 0) process.env['ROLLCALL_TEST_BUILD_ERROR'] = build.stdout || build.stderr;
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-tests-'));
  process.env['ROLLCALL_TEST_TEMPLATE'] = await writeTemplate(join(folder, 'template.tar'));
  const run = `${DATABASE_PREFIX}${process.pid}_`;
  process.env['ROLLCALL_TEST_DATABASES'] = run;
  return async () => {
    rmSync(folder, { recursive: true, force: true });
    const url = process.env['ROLLCALL_TEST_POSTGRES'];
    if (!url) return;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const { rows } = await client.query<{ datname: string }>(
        `select datname from pg_database where datname like $1`,
        [`${run.replaceAll('_', '\\_')}%`],
      );
      for (const { datname } of rows) await client.query(`drop database if exists "${datname}" with (force)`);
    } finally {
      await client.end();
    }
  };
}

/** A dump of an empty embedded database: making one takes seconds, which every test file would pay. */
async function writeTemplate(file: string): Promise<string> {
  const database = await PGlite.create('memory://');
  writeFileSync(file, Buffer.from(await (await database.dumpDataDir('none')).arrayBuffer()));
  await database.close();
  return file;
}
