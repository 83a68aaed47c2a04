import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.ts';
import { openDatabases } from '../databases.ts';
import { describeMachine } from '../machine.ts';
import type { BenchOptions, BenchResult } from '../main.ts';
import { startAsker } from '../processes.ts';
import { measureCommit } from './commits.ts';
import type { A2aJobs } from './load.ts';
import { checkStored, measureMessages } from './messages.ts';
import { measureOpenStreams } from './open-streams.ts';
import { type A2aFigures, report } from './report.ts';
import { startServers, withDurable } from './set-up.ts';
import { measureChunks, measureFirstEvent } from './streams.ts';

interface Plan {
  /** Numbers of connections that send messages. */
  readonly levels: readonly number[];
  readonly rounds: number;
  readonly burstMs: number;
  readonly warmUp: { readonly ms: number; readonly most: number };
  /** Short streams in a round, for the first event. */
  readonly firstEvents: number;
  readonly lengths: readonly number[];
  readonly chunkRounds: number;
  readonly openStreams: number;
  readonly openRounds: number;
  readonly drip: { readonly ms: number; readonly everyMs: number };
}

const FULL: Plan = {
  levels: [16, 50, 200],
  rounds: 5,
  burstMs: 2_000,
  warmUp: { ms: 2_500, most: 6_000 },
  firstEvents: 200,
  lengths: [10, 1_000, 10_000],
  chunkRounds: 5,
  openStreams: 1_000,
  openRounds: 3,
  drip: { ms: 4_000, everyMs: 2_000 },
};
const QUICK: Plan = {
  levels: [16, 50],
  rounds: 1,
  burstMs: 300,
  warmUp: { ms: 500, most: 300 },
  firstEvents: 20,
  lengths: [10, 100, 1_000],
  chunkRounds: 1,
  openStreams: 100,
  openRounds: 1,
  drip: { ms: 1_000, everyMs: 500 },
};

const PACKAGES = ['pg', 'fastify', 'undici', '@a2a-js/sdk', 'express'];

/** The benchmark of messages and streams: databases of its own, dropped at the end, however it ends. */
export async function benchA2a({ quick, rounds, seconds, tell }: BenchOptions): Promise<BenchResult> {
  const base = quick ? QUICK : FULL;
  const plan: Plan = {
    ...base,
    rounds: rounds ?? base.rounds,
    chunkRounds: rounds ?? base.chunkRounds,
    burstMs: seconds === undefined ? base.burstMs : seconds * 1_000,
  };
  tell('building');
  build();
  const databases = await openDatabases();
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const asker = startAsker<A2aJobs>('a2a/load.ts');
  const env = { SECRET_KEY: 'a key of the benchmark, thirty-two characters or more', DATA_DIR: dataDir };
  try {
    const machine = describeMachine(PACKAGES, databases.version);
    const figures: A2aFigures = {
      machine,
      ...(await measureServers(
        asker,
        { ours: await databases.create('tasks'), bare: await databases.create('bare') },
        env,
        plan,
        tell,
      )),
      openStreams: await measureOpenStreams(asker, {
        streams: plan.openStreams,
        rounds: plan.openRounds,
        ...plan.drip,
        env: { ...env, DATABASE_URL: await databases.create('open') },
        tell,
      }),
    };
    return { text: report(figures), figures };
  } finally {
    await asker.stop();
    await databases.drop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function measureServers(
  asker: ReturnType<typeof startAsker<A2aJobs>>,
  databaseUrls: { readonly ours: string; readonly bare: string },
  env: Record<string, string>,
  plan: Plan,
  tell: BenchOptions['tell'],
) {
  const servers = await withDurable(await startServers({ ...env, DATABASE_URL: databaseUrls.ours }), databaseUrls.bare);
  try {
    const { levels, burstMs: ms, warmUp } = plan;
    const { rows: messages, answered } = await measureMessages(asker, servers, {
      levels,
      rounds: plan.rounds,
      ms,
      warmUp,
      tell,
    });
    const stored = await checkStored(databaseUrls.ours, answered);
    tell('first events of short streams');
    const firstEvent = await measureFirstEvent(asker, servers, {
      rounds: plan.rounds,
      times: plan.firstEvents,
      warmUp: plan.firstEvents,
    });
    const commitMs = await measureCommit(databaseUrls.ours);
    tell(`streams of ${plan.lengths.join(', ')} chunks`);
    const chunks = await measureChunks(asker, servers, plan.lengths, plan.chunkRounds);
    return { messages, stored, firstEvent, commitMs, chunks };
  } finally {
    await servers.stop();
  }
}
