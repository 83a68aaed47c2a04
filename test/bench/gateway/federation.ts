import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HttpJobs } from '../load.ts';
import { describeMachine } from '../machine.ts';
import type { BenchOptions, BenchResult } from '../main.ts';
import { startAsker, startServer } from '../processes.ts';
import { composed } from './compose.ts';
import { measureJoins } from './joins.ts';
import type { PlanningJobs } from './planning.ts';
import { pulsesSubgraph } from './pulses.ts';
import { type FederationFigures, report } from './report.ts';
import { agentsSubgraph, costsSubgraph } from './schemas.ts';
import { measureSubscriptions } from './subscriptions.ts';
import { measureSwaps } from './swap.ts';
import { AGENTS, COSTS } from './world.ts';

interface Plan {
  readonly rounds: number;
  readonly burstMs: number;
  readonly subscriptions: number;
  readonly bursts: { readonly one: number; readonly all: number };
  readonly planRounds: number;
  readonly swapMs: number;
}

const FULL: Plan = {
  rounds: 7,
  burstMs: 2_000,
  subscriptions: 1_000,
  bursts: { one: 4_000, all: 8 },
  planRounds: 7,
  swapMs: 10_000,
};
const QUICK: Plan = {
  rounds: 2,
  burstMs: 400,
  subscriptions: 100,
  bursts: { one: 200, all: 2 },
  planRounds: 1,
  swapMs: 2_000,
};

const PACKAGES = [
  '@graphql-hive/router-query-planner',
  '@apollo/server',
  'graphql',
  'graphql-jit',
  'fastify',
  'undici',
];
const PEER_PACKAGES = [
  '@graphql-hive/gateway-runtime',
  '@graphql-hive/router-runtime',
  '@graphql-hive/router-query-planner',
  '@apollo/gateway',
  '@apollo/server',
  'graphql',
];

/** The other gateways: a package of their own, so that nothing of theirs is installed with Rollcall. */
const PEERS = fileURLToPath(new URL('../federation/', import.meta.url));

function installPeers(tell: BenchOptions['tell']): Record<string, string> {
  const installed = join(PEERS, 'node_modules/.package-lock.json');
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(join(PEERS, 'package-lock.json')).mtimeMs) {
    tell('installing the other gateways');
    // The scripts of some hundred packages are not needed to measure two.
    execFileSync('npm', ['ci', '--prefix', PEERS, '--ignore-scripts'], { stdio: ['ignore', 2, 2] });
  }
  return Object.fromEntries(
    PEER_PACKAGES.map((name) => {
      const { version } = JSON.parse(readFileSync(join(PEERS, 'node_modules', name, 'package.json'), 'utf8'));
      return [`${name} (peers)`, version as string];
    }),
  );
}

/** The gateway's benchmark. Needs no database. */
export async function benchFederation({ quick, rounds, seconds, tell }: BenchOptions): Promise<BenchResult> {
  const base = quick ? QUICK : FULL;
  const plan: Plan = {
    ...base,
    rounds: rounds ?? base.rounds,
    burstMs: seconds === undefined ? base.burstMs : seconds * 1_000,
  };
  const peers = installPeers(tell);
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const asker = startAsker<HttpJobs>('load.ts');
  try {
    const machine = { ...describeMachine(PACKAGES), ...peers };
    const subgraphs = await startServer('gateway/subgraphs.ts');
    const at = (name: string): string => new URL(name, subgraphs.url).href;
    const costs = { name: COSTS, url: at(COSTS), sdl: costsSubgraph().sdl };
    const supergraphOf = (sdl: string): string => composed([{ name: AGENTS, url: at(AGENTS), sdl }, costs]);

    const joins = await measureJoins({
      asker,
      supergraph: file('agents.graphql', supergraphOf(agentsSubgraph().sdl)),
      rounds: plan.rounds,
      ms: plan.burstMs,
      tell,
    });
    tell(`${plan.subscriptions.toLocaleString('en')} subscriptions`);
    const subscriptions = await measureSubscriptions({
      supergraph: file('pulses.graphql', supergraphOf(pulsesSubgraph().sdl)),
      count: plan.subscriptions,
      bursts: plan.bursts,
    });
    tell('composing and planning for 30 teams');
    const planner = startAsker<PlanningJobs>('gateway/planning.ts');
    const planning = await planner.ask('plan', { rounds: plan.planRounds });
    await planner.stop();
    tell('swapping their graph under load');
    const swap = await measureSwaps({ asker, subgraphs, file: file('teams.json', ''), ms: plan.swapMs });
    await subgraphs.stop();
    const figures: FederationFigures = { machine, joins, subscriptions, planning, swap };
    return { text: report(figures), figures };
  } finally {
    await asker.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
