import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RegistryAccess } from '../access/access.ts';
import { type AccessOptions, openAccess } from '../access/open.ts';
import type { Io } from '../io.ts';
import { settingsHelp } from '../settings.ts';

/** Options of every command that works with the registry. */
export interface CommonOptions extends AccessOptions {
  readonly json?: boolean;
}

const FINDING = `
Where the registry is: at --server or ROLLCALL_URL; else in the database of DATABASE_URL or DATA_DIR, opened directly;
else, when a running server holds DATA_DIR, at that server. Other settings are read from the environment: see
rollcall start --help.`;

/** Adds what says where the registry is, who asks, and in what form to answer. */
export function withAccess(command: Command): Command {
  command
    .addOption(
      new Option('--server <url>', 'a running server (environment: ROLLCALL_URL)').conflicts([
        'dataDir',
        'databaseUrl',
      ]),
    )
    .option(
      '--token <token>',
      'whose rights to use (environment: ROLLCALL_TOKEN); on an opened database without one: everything',
    );
  for (const { flags, description } of settingsHelp(['DATA_DIR', 'DATABASE_URL'])) command.option(flags, description);
  return withJson(command).addHelpText('after', FINDING);
}

export const withJson = (command: Command): Command => command.option('--json', 'answer JSON on standard output');

export const withProgress = (command: Command): Command =>
  command.option('--progress', 'show progress on standard error even where that is no terminal');

/** Opens the registry for `work`, and closes it whatever happens. */
export async function withRegistry<T>(
  io: Io,
  options: AccessOptions,
  { mayMigrate }: { readonly mayMigrate: boolean },
  work: (access: RegistryAccess) => Promise<T>,
): Promise<T> {
  const access = await openAccess(io, options, { mayMigrate });
  try {
    return await work(access);
  } finally {
    await access.close();
  }
}

/** A parser of whole numbers for commander. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const n = Number(text);
    if (!/^\d+$/.test(text) || n < min || n > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return n;
  };

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
