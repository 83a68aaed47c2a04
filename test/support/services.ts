import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
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
  if (build.status !== 0) throw new Error(`the build failed:\n${build.stdout}`);
  const run = `${DATABASE_PREFIX}${process.pid}_`;
  process.env['ROLLCALL_TEST_DATABASES'] = run;
  return async () => {
    const url = process.env['ROLLCALL_TEST_POSTGRES'];
    if (!url) return;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ datname: string }>(`select datname from pg_database where datname like $1`, [
      `${run.replaceAll('_', '\\_')}%`,
    ]);
    for (const { datname } of rows) await client.query(`drop database if exists "${datname}" with (force)`);
    await client.end();
  };
}
