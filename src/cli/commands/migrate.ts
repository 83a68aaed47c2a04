import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { type Io, say } from '../io.ts';
import { readSettings, settingsHelp } from '../settings.ts';
import { plural, withJson } from './common.ts';

/** `rollcall migrate`: what a start does first, without starting. */
export function addMigrateCommand(program: Command, io: Io): void {
  const command = program
    .command('migrate')
    .description('Bring the database up to date, making it where there is none. A start does so, too.')
    .option('--dry-run', 'only tell which migrations would run')
    .action(async (options: { readonly json?: boolean; readonly dryRun?: boolean }) => {
      const config = readSettings(io, options);
      if (config.DATABASE_URL?.startsWith('memory:'))
        throw new UsageError('DATABASE_URL: a database in memory has nothing to migrate');
      const { openDatabase } = await import('../../database/database.ts');
      const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR });
      try {
        const names = options.dryRun ? await database.pendingMigrations() : await database.migrate();
        const did = options.dryRun ? 'would run' : 'ran';
        const text =
          names.length === 0
            ? `The ${database.describe} is up to date.`
            : [`${did} ${plural(names.length, 'migration')} on the ${database.describe}:`, ...names].join('\n  ');
        await say(io, options.json, { [options.dryRun ? 'pending' : 'migrated']: names }, text);
      } finally {
        await database.close();
      }
    });
  for (const { flags, description } of settingsHelp(['DATA_DIR', 'DATABASE_URL'])) command.option(flags, description);
  withJson(command);
}
