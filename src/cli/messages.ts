import { RollcallError, toRollcallError } from '../errors.ts';
import { UsageError } from './exit.ts';
import { printable } from './io.ts';

/** Codes of file system errors, as people say them. */
const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'the disk is full',
};

/** Longer ones repeat a statement with its values. */
const LONGEST = 300;

/** What to tell a person about any failure: one line, without a stack trace. */
export function plainMessage(error: unknown): string {
  if (error instanceof UsageError || error instanceof RollcallError) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  if (path !== undefined && code !== undefined) return `${path}: ${FILE_ERRORS[code] ?? code}`;
  const known = toRollcallError(error);
  return known.code === 'INTERNAL' ? `something went wrong: ${innermost(error)}` : known.message;
}

/** The first failure of a chain: the outer ones of a database driver quote the statement. */
function innermost(error: unknown): string {
  let e = error;
  for (let depth = 0; e instanceof Error && depth < 5; depth++) {
    const inner = e.cause ?? (e as { previous?: unknown }).previous;
    if (!(inner instanceof Error)) break;
    e = inner;
  }
  const text = e instanceof Error ? e.message : String(e);
  return printable(text.split('\n')[0]!).slice(0, LONGEST);
}
