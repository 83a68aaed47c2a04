import { invalid } from '../../errors.ts';

const PLAIN = /^[\w@%+=:,./-]+$/;

/** One word, so that a shell reads it as it is. */
export const quoteWord = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);

/** Words as one line of a shell. */
export const joinWords = (words: readonly string[]): string => words.map(quoteWord).join(' ');

/** A run of plain characters, an escaped one, or a quoted text. */
const PIECE = /[^ \t\r\n\\'"]+|\\([\s\S])|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|([ \t\r\n]+)|([\s\S])/g;

/**
 * The words of a line as a POSIX shell splits them: quotes and backslashes, and nothing else (no variables, no globs, no
 * comments).
 *
 * @param field names the text in errors
 * @throws RollcallError INVALID_INPUT for a quote that is not closed, or a backslash at the end
 */
export function splitWords(line: string, field: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const [piece, escaped, single, double, space, stray] of line.matchAll(PIECE)) {
    if (stray !== undefined) {
      throw invalid(field, stray === '\\' ? 'ends with a backslash.' : `has a ${stray} that is not closed.`);
    }
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    // Between double quotes a backslash stands for itself, unless it escapes a quote or another backslash.
    word = (word ?? '') + (escaped ?? single ?? double?.replace(/\\(["\\])/g, '$1') ?? piece);
  }
  if (word !== undefined) words.push(word);
  return words;
}
