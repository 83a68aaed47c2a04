import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.ts';
import { connect, openDatabases } from '../databases.ts';
import type { HttpJobs } from '../load.ts';
import { describeMachine } from '../machine.ts';
import type { BenchOptions, BenchResult } from '../main.ts';
import { startAsker, startRollcall } from '../processes.ts';
import { type LatencyRow, measureLatency } from './latency.ts';
import { type RegistryFigures, report } from './report.ts';
import { seed } from './seed.ts';
import { measureStartUp } from './start-up.ts';
import { measureThroughput } from './throughput.ts';

interface Plan {
  readonly sizes: readonly number[];
  /** The size at which Rollcall and its peer are compared. */
  readonly compareAt: number;
  readonly rounds: number;
  readonly burstMs: number;
  readonly latencyRounds: number;
  readonly starts: number;
}

const FULL: Plan = {
  sizes: [1_000, 100_000, 1_000_000],
  compareAt: 100_000,
  rounds: 9,
  burstMs: 2_000,
  latencyRounds: 15,
  starts: 3,
};
const QUICK: Plan = {
  sizes: [1_000, 20_000],
  compareAt: 20_000,
  rounds: 3,
  burstMs: 800,
  latencyRounds: 3,
  starts: 1,
};

const PACKAGES = ['pg', 'graphql', 'graphql-jit', '@apollo/server', 'fastify', 'dataloader', 'undici'];

/** The registry's benchmark: databases of its own, dropped at the end, however it ends. */
export async function benchRegistry({ quick, rounds, seconds, tell }: BenchOptions): Promise<BenchResult> {
  const base = quick ? QUICK : FULL;
  const burstMs = seconds === undefined ? base.burstMs : seconds * 1_000;
  const plan: Plan = { ...base, rounds: rounds ?? base.rounds, burstMs };
  tell('building');
  build();
  const databases = await openDatabases();
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const asker = startAsker<HttpJobs>('load.ts');
  try {
    const machine = describeMachine(PACKAGES, databases.version);
    const env = { SECRET_KEY: 'a key of the benchmark, thirty-two characters or more', DATA_DIR: dataDir };
    const databaseUrl = await databases.create('agents');
    await (await startRollcall({ ...env, DATABASE_URL: databaseUrl })).stop();

    const latency = new Map<number, LatencyRow[]>();
    let throughput: RegistryFigures['throughput'] = [];
    let seeded = 0;
    for (const size of plan.sizes) {
      const seconds = await seed(() => connect(databaseUrl), seeded + 1, size, tell);
      tell(`${size.toLocaleString('en')} agents seeded in ${seconds.toFixed(0)} s; asking`);
      seeded = size;
      const providers = await biggestAndSmallest(databaseUrl);
      latency.set(size, await measureLatency({ databaseUrl, env, rounds: plan.latencyRounds, providers }));
      if (size === plan.compareAt) {
        tell('comparing with the peer');
        throughput = await measureThroughput(asker, { databaseUrl, env, rounds: plan.rounds, ms: plan.burstMs });
      }
    }
    tell('starting and stopping');
    const startUp = await measureStartUp(databases, databaseUrl, env, plan.starts);
    const figures: RegistryFigures = { machine, compareAt: plan.compareAt, throughput, latency, startUp };
    return { text: report(figures), figures: { ...figures, latency: Object.fromEntries(latency) } };
  } finally {
    await asker.stop();
    await databases.drop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function biggestAndSmallest(databaseUrl: string): Promise<{ big: string; small: string }> {
  const client = await connect(databaseUrl);
  const { rows } = await client.query<{ id: string }>(
    'select provider as id from agent where provider is not null group by provider order by count(*) desc, provider',
  );
  await client.end();
  return { big: rows[0]!.id, small: rows.at(-1)!.id };
}
