import { describe, expect, it } from 'vitest';
import { checkExtra } from '../../../src/protocol/mmcloud/argv.ts';

describe("a task's own options for submit", () => {
  it.each([
    ['--address', '9.9.9.9'],
    ['--address=9.9.9.9'],
    ['-a', '9.9.9.9'],
    ['-a9.9.9.9'],
    ['-fa', '9.9.9.9'],
    ['-fv', '-ffu', 'root'],
    ['--username', 'x'],
    ['-uroot'],
    ['--password', 'x'],
    ['-p', 'x'],
    ['--token', 'x'],
    ['-O', 'x'],
    ['--format', 'yaml'],
    ['-F', 'yaml'],
    ['--job', '/etc/passwd'],
    ['-j/etc/passwd'],
    ['--name', 'x', '--'],
  ])('must not be %s %s', (...extra) => {
    expect(() => checkExtra(extra, 'submit_extra')).toThrow(/submit_extra: must not contain -/);
  });

  it.each([
    [['--vmPolicy', '[onDemand=true]']],
    [['-n', 'job']],
    [['-njap']],
    [['--customTag', 'team:a']],
    [['--addressless', 'x']],
    [['-']],
    [[]],
  ])('may be %j', (extra) => {
    expect(checkExtra(extra, 'submit_extra')).toBe(extra);
  });
});
