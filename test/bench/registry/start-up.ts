import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { BenchDatabases } from '../databases.ts';
import { startRollcall } from '../processes.ts';
import { median } from '../statistics.ts';

export interface StartUpRow {
  readonly what: string;
  /** From the start of the process to the first answer that it is ready. */
  readonly readyMs: number;
  /** Resident memory some seconds later, without a request. */
  readonly memoryMiB: number;
}

/** What a server does after its start (first flush, collections) is over by then. */
const IDLE_MS = 3_000;

/** Starts of the four kinds, in turns. `existing` is a database with agents in it. */
export async function measureStartUp(
  databases: BenchDatabases,
  existing: string,
  env: Record<string, string>,
  rounds: number,
): Promise<StartUpRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const measured = new Map<string, { ready: number[]; memory: number[] }>();
  const start = async (what: string, where: Record<string, string>): Promise<void> => {
    const server = await startRollcall({ ...env, AUTH_MODE: 'none', ...where });
    await wait(IDLE_MS);
    const list = measured.get(what) ?? { ready: [], memory: [] };
    list.ready.push(server.readyMs);
    list.memory.push(server.memory());
    measured.set(what, list);
    await server.stop();
  };
  try {
    for (let round = 0; round < rounds; round++) {
      const DATA_DIR = join(directory, String(round));
      await start('embedded, first start', { DATA_DIR });
      await start('embedded, existing', { DATA_DIR });
      await start('PostgreSQL, first start', { DATABASE_URL: await databases.create(`start_${round}`) });
      await start('PostgreSQL, existing', { DATABASE_URL: existing });
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return [...measured].map(([what, { ready, memory }]) => ({
    what,
    readyMs: median(ready),
    memoryMiB: median(memory),
  }));
}
