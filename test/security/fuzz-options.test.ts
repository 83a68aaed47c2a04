import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('fuzz.ts', import.meta.url));

const run = (...args: string[]) => spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });

test('--help names each option, its default and the exit codes', () => {
  const { status, stdout, stderr } = run('--help');
  expect([status, stderr]).toEqual([0, '']);
  for (const told of ['--cases', 'default: 100000', '--seed', '--help', 'Exit codes', 'npm run build'])
    expect(stdout).toContain(told);
});

test.each([
  ['--cases must be a whole number from 1', ['--cases', 'many']],
  ['--cases must be a whole number from 1', ['--cases', '0']],
  ['--seed must be a whole number from 0 to 2147483647, not "2147483648"', ['--seed', '2147483648']],
  ['--case', ['--case', '10']],
  ['10', ['10']],
])('it ends with 2 and "%s" for %j, and starts nothing', (message, args) => {
  const { status, stdout, stderr } = run(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
  expect(stderr).toContain('--help');
});
