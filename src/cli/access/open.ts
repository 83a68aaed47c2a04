import { resolve } from 'node:path';
import { RollcallError } from '../../errors.ts';
import { UsageError } from '../exit.ts';
import type { Io } from '../io.ts';
import { findServer } from '../server-file.ts';
import { readSettings } from '../settings.ts';
import type { RegistryAccess } from './access.ts';
import { overGraphql } from './over-graphql.ts';

/** The options that say where the registry is and who asks. */
export interface AccessOptions {
  readonly server?: string | undefined;
  readonly token?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly databaseUrl?: string | undefined;
}

/**
 * The registry: at --server or ROLLCALL_URL; else in the database that the settings name; else, when a server holds its
 * data directory, through that server.
 *
 * @throws UsageError, RollcallError.
 */
export async function openAccess(
  io: Io,
  options: AccessOptions,
  { mayMigrate }: { readonly mayMigrate: boolean },
): Promise<RegistryAccess> {
  const named = options.server ?? (io.env['ROLLCALL_URL'] || undefined);
  const token = options.token ?? (io.env['ROLLCALL_TOKEN'] || undefined);
  if (named !== undefined) {
    if (!URL.canParse(named) || !/^https?:$/.test(new URL(named).protocol))
      throw new UsageError(
        `${options.server === undefined ? 'ROLLCALL_URL' : '--server'}: must be a URL starting with http:// or https://`,
      );
    return overGraphql(named, token);
  }
  const config = readSettings(io, options);
  if (config.DATABASE_URL?.startsWith('memory:'))
    throw new UsageError(
      'DATABASE_URL: a database in memory is inside its server; give the address of that server with --server',
    );
  try {
    // Loaded only here: with --server, no database is needed.
    const { direct } = await import('./direct.ts');
    return await direct(config, { token, mayMigrate, logLevel: io.env['LOG_LEVEL'] ? config.LOG_LEVEL : 'silent' });
  } catch (error) {
    if (!(error instanceof RollcallError) || error.field !== 'DATA_DIR') throw error;
    const server = findServer(config.DATA_DIR);
    if (server !== undefined) return overGraphql(server.url, token);
    throw new RollcallError(
      'FAILED_PRECONDITION',
      `DATA_DIR: ${resolve(config.DATA_DIR)} is in use by another Rollcall process, which has not said where it is reached: it may be starting, stopping, or another command. Try again, or give its address with --server.`,
      { field: 'DATA_DIR', cause: error },
    );
  }
}
