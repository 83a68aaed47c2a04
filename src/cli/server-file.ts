import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running server leaves in its data directory, so that commands find it there. */
export interface ServerFile {
  /** Where it is reached; ends in "/". */
  readonly url: string;
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
}

const pathIn = (dataDir: string): string => join(dataDir, 'server.json');

/** Leaves the file, as a whole or not at all. @returns what takes it away again, unless another server replaced it. */
export function leaveServerFile(dataDir: string, url: string): () => void {
  const file: ServerFile = { url, pid: process.pid, startedAt: new Date().toISOString() };
  const draft = `${pathIn(dataDir)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(file)}\n`);
  renameSync(draft, pathIn(dataDir));
  return () => {
    if (read(dataDir)?.pid === process.pid) rmSync(pathIn(dataDir), { force: true });
  };
}

/** The server that holds this data directory; undefined when it left no file, or the one there is of a process that ended. */
export function findServer(dataDir: string): ServerFile | undefined {
  const file = read(dataDir);
  return file !== undefined && isAlive(file.pid) ? file : undefined;
}

function read(dataDir: string): ServerFile | undefined {
  try {
    const file = JSON.parse(readFileSync(pathIn(dataDir), 'utf8')) as Partial<ServerFile> | null;
    if (typeof file?.url !== 'string' || !URL.canParse(file.url) || !Number.isInteger(file.pid)) return undefined;
    return file as ServerFile;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is alive, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
