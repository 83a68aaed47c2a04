import { type App, startApp } from '../app.ts';
import type { Config } from '../config.ts';
import { RollcallError, toRollcallError } from '../errors.ts';
import { createLog } from '../log.ts';
import { banner } from './banner.ts';
import { EXIT } from './exit.ts';
import { leaveServerFile } from './server-file.ts';
import { stopOnSignals } from './stop-signals.ts';

/** A database that is still coming up gets this many tries, a second and more apart. */
const DATABASE_TRIES = 5;

/** Runs the server until SIGINT or SIGTERM. A wrong configuration ends the process with a clear message. */
export async function runServer(read: () => Config): Promise<void> {
  let config: Config;
  try {
    config = read();
  } catch (error) {
    fail(error, EXIT.usage);
    return;
  }
  const log = createLog(config.LOG_LEVEL);
  // graphql-js can leave the second of two failures in one non-null list to nobody, which would end the process.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a failure that nobody waited for'));
  let app: App;
  try {
    app = await startWithPatience(config, log);
  } catch (error) {
    if (toRollcallError(error).code === 'INTERNAL') log.error({ err: error }, 'could not start');
    fail(error, error instanceof RollcallError && error.code === 'INVALID_INPUT' ? EXIT.usage : EXIT.failed);
    return;
  }
  const removeServerFile =
    config.DATABASE_URL === undefined ? leaveServerFile(config.DATA_DIR, app.addresses.url) : () => undefined;
  stopOnSignals(log, () => {
    removeServerFile();
    return app.close();
  });
  // Last: whoever waits for it may stop the server at once.
  process.stdout.write(await banner(app, config));
}

/** Starts; waits for a database that cannot be reached yet, telling so. */
async function startWithPatience(config: Config, log: ReturnType<typeof createLog>): Promise<App> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startApp(config, log);
    } catch (error) {
      const { code } = toRollcallError(error);
      if (code !== 'DATABASE_UNAVAILABLE') throw error;
      if (attempt === DATABASE_TRIES) throw unreachable(config, error);
      log.warn({ attempt, of: DATABASE_TRIES }, 'the database cannot be reached yet; trying again');
      await new Promise((resolve) => setTimeout(resolve, attempt * 1_000));
    }
  }
}

/** Says which database, without the password in its address. */
function unreachable({ DATABASE_URL }: Config, cause: unknown): RollcallError {
  const { hostname, port, pathname } = new URL(DATABASE_URL!);
  return new RollcallError(
    'DATABASE_UNAVAILABLE',
    `DATABASE_URL: PostgreSQL at ${hostname}:${port || 5432}${pathname} cannot be reached. Is it running, and is the address right?`,
    { cause },
  );
}

function fail(error: unknown, code: number): void {
  const known = toRollcallError(error);
  const cause = known.code === 'INTERNAL' && error instanceof Error ? `: ${error.message.split('\n')[0]}` : '';
  process.stderr.write(`rollcall: ${known.code === 'INTERNAL' ? `could not start${cause}` : known.message}\n`);
  process.exitCode = code;
}
