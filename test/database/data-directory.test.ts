import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holdDataDirectory } from '../../src/database/data-directory-lock.ts';
import { openDatabase } from '../../src/database/database.ts';

let folder: string;
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-lock-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  rmSync(folder, { recursive: true, force: true });
});

/** Another process that holds the directory until it is killed. */
async function otherHolder(dataDir: string): Promise<{ kill(): Promise<void> }> {
  const lock = new URL('../../src/database/data-directory-lock.ts', import.meta.url).href;
  const script = `const { holdDataDirectory } = await import(${JSON.stringify(lock)});
    holdDataDirectory(${JSON.stringify(dataDir)}); console.log('held'); setInterval(() => undefined, 1e9);`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  cleanups.push(kill);
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('the other process ended'))),
  ]);
  return { kill };
}

const inUse = expect.objectContaining({
  code: 'FAILED_PRECONDITION',
  field: 'DATA_DIR',
  message: expect.stringContaining('is in use by another Rollcall process'),
});

test('a directory that another process holds is refused, and kill -9 of that process frees it', async () => {
  const other = await otherHolder(folder);
  await expect(openDatabase({ dataDir: folder })).rejects.toThrow(inUse);
  await other.kill();
  holdDataDirectory(folder).release();
});

test('what was committed is there after closing and opening again', async () => {
  const first = await openDatabase({ dataDir: folder });
  await first.migrate();
  await expect(openDatabase({ dataDir: folder })).rejects.toThrow(inUse);
  await first.query(
    `insert into provider (id, name, owner, created_at, updated_at) values (gen_random_uuid(), 'Kept', gen_random_uuid(), now(), now())`,
  );
  await first.close();
  const second = await openDatabase({ dataDir: folder });
  try {
    expect(await second.pendingMigrations()).toEqual([]);
    expect(await second.query('select name from provider')).toEqual([{ name: 'Kept' }]);
  } finally {
    await second.close();
  }
});

test('a directory that cannot be used says so, and not that another process has it', () => {
  const blocked = expect.objectContaining({
    code: 'FAILED_PRECONDITION',
    field: 'DATA_DIR',
    message: expect.not.stringContaining('another Rollcall'),
  });
  writeFileSync(join(folder, 'file'), '');
  expect(() => holdDataDirectory(join(folder, 'file', 'below'))).toThrow(blocked);
  mkdirSync(join(folder, 'odd', 'lock'), { recursive: true });
  expect(() => holdDataDirectory(join(folder, 'odd'))).toThrow(blocked);
});
