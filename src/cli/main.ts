import { CommanderError } from 'commander';
import { AlreadyTold, EXIT, UsageError } from './exit.ts';
import { type Io, processIo } from './io.ts';
import { plainMessage } from './messages.ts';
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
  io.stderr.write(`rollcall: ${plainMessage(error)}\n`);
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}
