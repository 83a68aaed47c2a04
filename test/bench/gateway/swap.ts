import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { type LoadResult, type Spread, spreadOf } from '../bursts.ts';
import type { HttpJobs } from '../load.ts';
import { type Asker, type ServerProcess, startServer } from '../processes.ts';
import { operationOf, TEAMS, teamDefinitions } from './teams.ts';

export interface SwapFigures {
  readonly swaps: number;
  /** Operations in use, which the new graph plans before it is served. */
  readonly operations: number;
  /** From reading the new schemas to serving their graph, under load. */
  readonly ms: Spread;
  /** The longest time in which the server did nothing else. */
  readonly blockedMs: Spread;
  /** The same load without swaps, and with them: no request failed, or there would be no figures. */
  readonly calm: LoadResult;
  readonly swapping: LoadResult;
}

export interface SwapOptions {
  readonly asker: Asker<HttpJobs>;
  readonly subgraphs: ServerProcess;
  /** A file that may be written. */
  readonly file: string;
  /** Length of the load, without swaps and with them. */
  readonly ms: number;
}

const CONNECTIONS = 8;
const MOST = 1_000_000;
const PAUSE_MS = 400;

const bodies = Array.from({ length: TEAMS }, (_, n) =>
  JSON.stringify({ query: operationOf(n), variables: { id: String(n) } }),
);

interface Refresh {
  readonly ms: number;
  readonly blockedMs: number;
}

async function refresh(gateway: ServerProcess): Promise<Refresh> {
  const answer = await fetch(new URL('bench/refresh', gateway.url), { method: 'POST' });
  const { outcome, ...times } = (await answer.json()) as Refresh & { outcome: string };
  if (outcome !== 'swapped') throw new Error(`the graph was not swapped: ${outcome}`);
  return times;
}

/** Swaps the graph of 30 teams again and again while it is asked, over all its operations in turn. */
export async function measureSwaps({ asker, subgraphs, file, ms }: SwapOptions): Promise<SwapFigures> {
  const texts = [0, 1].map((version) => JSON.stringify(teamDefinitions(subgraphs.url, version)));
  writeFileSync(file, texts[0]!);
  const gateway = await startServer('gateway/ours.ts', { SUBGRAPHS: file });
  try {
    const burst = (length: number): Promise<LoadResult> =>
      asker.ask('burst', {
        url: new URL('graphql', gateway.url).href,
        bodies,
        connections: CONNECTIONS,
        ms: length,
        most: MOST,
      });
    await burst(2_000);
    const calm = await burst(ms);
    let over = false;
    const load = burst(ms).finally(() => {
      over = true;
    });
    // Seen below; it must not count as unhandled before that.
    load.catch(() => undefined);
    const times: Refresh[] = [];
    while (!over) {
      writeFileSync(file, texts[(times.length + 1) % 2]!);
      times.push(await refresh(gateway));
      await wait(PAUSE_MS);
    }
    return {
      swaps: times.length,
      operations: TEAMS,
      ms: spreadOf(times.map(({ ms }) => ms)),
      blockedMs: spreadOf(times.map(({ blockedMs }) => blockedMs)),
      calm,
      swapping: await load,
    };
  } finally {
    await gateway.stop();
  }
}
