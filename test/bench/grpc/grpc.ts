import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.ts';
import { openDatabases } from '../databases.ts';
import { describeMachine } from '../machine.ts';
import type { BenchOptions, BenchResult } from '../main.ts';
import { startAsker } from '../processes.ts';
import { measureListing } from './listing.ts';
import type { GrpcJobs } from './load.ts';
import { type GrpcFigures, report } from './report.ts';
import { measureRouted } from './routed.ts';
import { startFlyte } from './set-up.ts';

interface Plan {
  /** Numbers of agents that are listed. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly burstMs: number;
  readonly warmUp: { readonly ms: number; readonly most: number };
  /** Calls under way at the same time. */
  readonly inFlight: number;
  /** Single calls in a round. */
  readonly singles: number;
}

const FULL: Plan = {
  sizes: [10, 1_000],
  rounds: 7,
  burstMs: 2_000,
  // Until the compiler is done with a path of calls as deep as a routed one's: its threads share the cores.
  warmUp: { ms: 6_000, most: 40_000 },
  inFlight: 16,
  singles: 1_000,
};
const QUICK: Plan = {
  sizes: [10, 50],
  rounds: 1,
  burstMs: 300,
  warmUp: { ms: 300, most: 200 },
  inFlight: 16,
  singles: 50,
};

const PACKAGES = ['@grpc/grpc-js', '@flyteorg/flyteidl', 'pg'];

/** The benchmark of Flyte's services: a database of its own, dropped at the end, however it ends. */
export async function benchGrpc({ quick, rounds, seconds, tell }: BenchOptions): Promise<BenchResult> {
  const base = quick ? QUICK : FULL;
  const ms = seconds === undefined ? base.burstMs : seconds * 1_000;
  const shared = { rounds: rounds ?? base.rounds, ms, warmUp: base.warmUp, inFlight: base.inFlight, tell };
  tell('building');
  build();
  const databases = await openDatabases();
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const asker = startAsker<GrpcJobs>('grpc/load.ts');
  try {
    const machine = describeMachine(PACKAGES, databases.version);
    const databaseUrl = await databases.create('flyte');
    const flyte = await startFlyte({
      SECRET_KEY: 'a key of the benchmark, thirty-two characters or more',
      DATA_DIR: directory,
      DATABASE_URL: databaseUrl,
    });
    try {
      const listing = await measureListing(asker, flyte, { ...shared, sizes: base.sizes, directory });
      const routed = await measureRouted(asker, flyte, { ...shared, databaseUrl, singles: base.singles });
      const figures: GrpcFigures = { machine, listing, routed };
      return { text: report(figures), figures };
    } finally {
      await flyte.stop();
    }
  } finally {
    await asker.stop();
    await databases.drop();
    rmSync(directory, { recursive: true, force: true });
  }
}
