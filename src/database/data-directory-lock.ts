import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { RollcallError } from '../errors.ts';

/** Holds a data directory for this process. `release` gives it back; the end of the process does so too, however it ends. */
export interface DataDirectoryLock {
  release(): void;
}

/** SQLite's result code when another connection holds the lock. */
const SQLITE_BUSY = 5;

/**
 * Takes the exclusive lock of a data directory. PGlite takes none itself: two processes on one directory both succeed
 * and lose committed rows. The lock is SQLite's on an otherwise empty file, as that is the one advisory lock of the
 * operating system that Node reaches without a native addon; the kernel drops it when the process dies, kill -9 included.
 *
 * @throws RollcallError FAILED_PRECONDITION when another process holds the directory, or it cannot be written to.
 */
export function holdDataDirectory(dataDir: string): DataDirectoryLock {
  let file: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true });
    file = new DatabaseSync(join(dataDir, 'lock'));
    file.exec(
      'pragma locking_mode = exclusive; pragma journal_mode = memory; begin exclusive; commit; begin exclusive',
    );
  } catch (cause) {
    file?.close();
    const why =
      (cause as { errcode?: unknown }).errcode === SQLITE_BUSY
        ? 'is in use by another Rollcall process. Stop that one, or give this one a directory of its own (--data-dir).'
        : `cannot be used: ${(cause as Error).message}. Make it a directory that this user may write to, or name another (--data-dir).`;
    throw new RollcallError('FAILED_PRECONDITION', `DATA_DIR: ${resolve(dataDir)} ${why}`, {
      field: 'DATA_DIR',
      cause,
    });
  }
  const held = file;
  return {
    release() {
      held.close();
    },
  };
}
