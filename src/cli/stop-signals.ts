import type { Logger } from 'pino';
import { EXIT } from './exit.ts';

/** SIGTERM ends the process within this time, whatever still runs. */
const STOP_MS = 5_000;

/** Ends the process after SIGTERM or SIGINT: `close` first, within five seconds; at once when asked a second time. */
export function stopOnSignals(log: Logger, close: () => Promise<void>): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) {
      log.warn('asked to stop a second time: stopping at once');
      process.exit(EXIT.failed);
    }
    stopping = true;
    log.info({ signal }, 'stopping: requests under way may end');
    setTimeout(() => {
      log.error('could not stop in time');
      process.exit(EXIT.failed);
    }, STOP_MS - 200).unref();
    void close().then(() => process.exit(EXIT.ok));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
