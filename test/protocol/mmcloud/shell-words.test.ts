import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinWords, splitWords } from '../../../src/protocol/mmcloud/shell-words.ts';

/** What a real shell makes of the line. */
function shellWords(line: string): string[] {
  const printed = execFileSync('/bin/sh', ['-c', `for word in ${line}; do printf '%s\\0' "$word"; done`]);
  return printed.toString('utf8').split('\0').slice(0, -1);
}

const words = fc.array(
  fc.string({
    unit: fc.constantFrom('a', 'B', '7', ' ', "'", '"', '\\', '$', '*', '\n', '\t', '#', 'é', ';', '|', '~', '`'),
  }),
);

describe('words of a shell', () => {
  it.each([
    ['', []],
    ['  \t\n', []],
    ['--vmPolicy [onDemand=true] --name x', ['--vmPolicy', '[onDemand=true]', '--name', 'x']],
    [`--name "two words" 'three more words' a\\ b`, ['--name', 'two words', 'three more words', 'a b']],
    [`a"b"'c'd`, ['abcd']],
    [`"" ''`, ['', '']],
    [`"\\"x\\" \\\\ \\n"`, ['"x" \\ \\n']],
    [`'$HOME' # no comment`, ['$HOME', '#', 'no', 'comment']],
  ])('splits %j', (line, expected) => {
    expect(splitWords(line, 'submit_extra')).toEqual(expected);
  });

  it.each([`"open`, `'open`, `a 'b" c`, 'end\\'])('refuses %j', (line) => {
    expect(() => splitWords(line, 'submit_extra')).toThrow('submit_extra: ');
  });

  it('splits what it joined', () => {
    fc.assert(
      fc.property(words, (each) => {
        expect(splitWords(joinWords(each), 'x')).toEqual(each);
      }),
    );
  });

  it('joins so that a real shell reads every word as it is', () => {
    fc.assert(
      fc.property(words, (each) => {
        expect(shellWords(joinWords(each))).toEqual(each);
      }),
      { numRuns: 40 },
    );
  });
});
