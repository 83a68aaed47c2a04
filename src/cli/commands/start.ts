import type { Command } from 'commander';
import { readConfig } from '../../config.ts';
import type { Io } from '../io.ts';
import { type GivenFlags, settingsArguments, settingsHelp } from '../settings.ts';

/** `rollcall start`: the server, with every setting as a flag. */
export function addStartCommand(program: Command, io: Io): void {
  const command = program
    .command('start')
    .description('Start the server and keep it running until SIGINT or SIGTERM.')
    .action(async (given: GivenFlags) => {
      const { runServer } = await import('../start.ts');
      await runServer(() => readConfig(io.env, settingsArguments(given)));
    });
  for (const { flags, description } of settingsHelp()) command.option(flags, description);
  command.addHelpText(
    'after',
    '\nA flag wins over the environment variable of the same name, and that over the default.',
  );
}
