import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { RollcallError } from '../errors.ts';

/** Holds a data directory for this process. `release` gives it back; the end of the process does so too, however it ends. */
export interface DataDirectoryLock {
  release(): void;
}

/**
 * Takes the exclusive lock of a data directory. PGlite takes none itself: two processes on one directory both succeed
 * and lose committed rows. The lock is SQLite's on an otherwise empty file, as that is the one advisory lock of the
 * operating system that Node reaches without a native addon; the kernel drops it when the process dies, kill -9 included.
 *
 * @throws RollcallError FAILED_PRECONDITION when another process holds the directory.
 */
export function holdDataDirectory(dataDir: string): DataDirectoryLock {
  mkdirSync(dataDir, { recursive: true });
  const file = new DatabaseSync(join(dataDir, 'lock'));
  try {
    file.exec(
      'pragma locking_mode = exclusive; pragma journal_mode = memory; begin exclusive; commit; begin exclusive',
    );
  } catch (cause) {
    file.close();
    throw new RollcallError(
      'FAILED_PRECONDITION',
      `DATA_DIR: ${resolve(dataDir)} is in use by another Rollcall process. Stop that one, or give this one a directory of its own (--data-dir).`,
      { field: 'DATA_DIR', cause },
    );
  }
  return {
    release() {
      file.close();
    },
  };
}
