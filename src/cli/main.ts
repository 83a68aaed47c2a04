import { CommanderError } from 'commander';
import { RollcallError, toRollcallError } from '../errors.ts';
import { AlreadyTold, EXIT, UsageError } from './exit.ts';
import { type Io, printable, processIo } from './io.ts';
import { buildProgram } from './program.ts';

/**
 * Runs one command of the command line.
 *
 * @param argv the arguments after the program's name.
 * @returns the exit code: one of {@link EXIT}. A server that was started goes on after the answer.
 */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  // A reader that went away is told by the write itself; without a listener it would end the process with a stack trace.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => undefined);
  try {
    await buildProgram(io).parseAsync([...argv], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return tell(io, error);
  }
}

function tell(io: Io, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof AlreadyTold) return EXIT.failed;
  // `rollcall export - | head` has what it wanted.
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') return EXIT.ok;
  const message = messageOf(error);
  io.stderr.write(`rollcall: ${message}\n`);
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

/** Codes of file system errors, as people say them. */
const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'the disk is full',
};

function messageOf(error: unknown): string {
  if (error instanceof UsageError || error instanceof RollcallError) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  if (path !== undefined && code !== undefined) return `${path}: ${FILE_ERRORS[code] ?? code}`;
  const known = toRollcallError(error);
  if (known.code !== 'INTERNAL') return known.message;
  return `something went wrong: ${printable(error instanceof Error ? error.message.split('\n')[0]! : String(error))}`;
}
