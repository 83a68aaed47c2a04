import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const SCRIPT = `
const { openDatabase } = await import(${JSON.stringify(new URL('../../src/database/database.ts', import.meta.url).href)});
const { toDate } = await import(${JSON.stringify(new URL('../../src/database/values.ts', import.meta.url).href)});
const sql = "select '2026-01-31 10:20:30.123Z'::timestamptz as at";
const database = await openDatabase({ databaseUrl: 'memory://', dataDir: '' });
const [outside] = await database.query(sql);
const [inside] = await database.transaction((tx) => tx.query(sql));
console.log(JSON.stringify([outside.at, toDate(inside.at)]));
await database.close();
`;

test('the embedded database counts in UTC, whatever the time zone of the machine', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--no-warnings', '-e', SCRIPT],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)), env: { ...process.env, TZ: 'America/New_York' } },
  );
  expect(JSON.parse(stdout)).toEqual(['2026-01-31 10:20:30.123+00', '2026-01-31T10:20:30.123Z']);
});
