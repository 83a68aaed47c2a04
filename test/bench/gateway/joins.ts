import { deepStrictEqual } from 'node:assert';
import { type Burst, inTurns, middle, onServer, ratioOf, type Spread } from '../bursts.ts';
import type { HttpJobs } from '../load.ts';
import { type Asker, type ServerProcess, startServer } from '../processes.ts';
import { bodiesOf, OPERATIONS, type OperationName } from './world.ts';

/** Who is measured. The first is what ratios are to. */
export const CONTENDERS = {
  hive: 'Hive Gateway',
  apollo: '@apollo/gateway',
  plain: 'Rollcall',
  hot: 'Rollcall, hot path',
  ceiling: 'node:http, finished answers',
} as const;

export type Contender = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Contender[];

export interface JoinRow {
  readonly what: string;
  readonly bursts: Readonly<Record<Contender, Burst>>;
  /** Requests a second in relation to Hive Gateway's in the same round, and to Apollo's. */
  readonly toHive: Readonly<Record<Contender, Spread>>;
  readonly toApollo: Readonly<Record<Contender, Spread>>;
}

export interface JoinOptions {
  readonly asker: Asker<HttpJobs>;
  /** File of the supergraph of agents and costs. */
  readonly supergraph: string;
  readonly rounds: number;
  readonly ms: number;
  tell(line: string): void;
}

const CONNECTIONS = 16;
const MOST = 100_000;
/** Until the code is compiled, or long enough. */
const WARM_UP = { ms: 6_000, most: 3_000 };

/** What is asked of gateways whose agents are remote, and of gateways with the agents in their own process. */
const CASES: readonly {
  readonly local: boolean;
  readonly where: string;
  readonly operations: readonly OperationName[];
}[] = [
  { local: false, where: 'both subgraphs remote', operations: ['Join'] },
  { local: true, where: 'agents in-process', operations: ['Join', 'List'] },
];

function start(name: Contender, supergraph: string, local: boolean): Promise<ServerProcess> {
  const env = { SUPERGRAPH: supergraph, ...(local ? { LOCAL: 'agents' } : {}) };
  if (name === 'hive' || name === 'apollo') return startServer(`federation/${name}.mjs`, env);
  if (name === 'ceiling') return startServer('gateway/ceiling.ts');
  return startServer('gateway/ours.ts', { ...env, GRAPHQL_HOT_PATH: String(name === 'hot') });
}

const endpoint = ({ url }: ServerProcess): string => new URL('graphql', url).href;

/** Every answer of a server to the requests of the benchmark is the right one, as made by hand. */
async function checkAnswers(name: Contender, server: ServerProcess, operation: OperationName): Promise<void> {
  for (const body of bodiesOf(operation)) {
    // Twice: the second is answered from what the first left prepared.
    for (let time = 0; time < 2; time++) {
      const answer = await fetch(endpoint(server), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const expected = { data: OPERATIONS[operation].data(JSON.parse(body).variables.from) };
      deepStrictEqual(await answer.json(), expected, `${CONTENDERS[name]} answers ${operation} otherwise`);
    }
  }
}

/** Requests a second of all gateways, in turns, each in a process of its own. */
export async function measureJoins(options: JoinOptions): Promise<JoinRow[]> {
  const rows: JoinRow[] = [];
  for (const { local, where, operations } of CASES) {
    const servers = new Map<Contender, ServerProcess>();
    try {
      for (const name of NAMES) servers.set(name, await start(name, options.supergraph, local));
      for (const operation of operations) {
        const what = `${OPERATIONS[operation].what}, ${where}`;
        rows.push(await compare(what, operation, servers, options));
      }
    } finally {
      await Promise.all([...servers.values()].map((server) => server.stop()));
    }
  }
  return rows;
}

async function compare(
  what: string,
  operation: OperationName,
  servers: ReadonlyMap<Contender, ServerProcess>,
  { asker, rounds, ms, tell }: JoinOptions,
): Promise<JoinRow> {
  tell(`${what}: checking answers, warming up`);
  const bodies = bodiesOf(operation);
  const burst = (server: ServerProcess, limits: { ms: number; most: number }): Promise<Burst> =>
    onServer(server, () => asker.ask('burst', { url: endpoint(server), bodies, connections: CONNECTIONS, ...limits }));
  for (const [name, server] of servers) {
    await checkAnswers(name, server, operation);
    await burst(server, WARM_UP);
  }
  tell(`${what}: ${rounds} rounds`);
  const results = await inTurns(NAMES, rounds, (name) => burst(servers.get(name)!, { ms, most: MOST }));
  const each = <T>(figure: (name: Contender) => T): Record<Contender, T> =>
    Object.fromEntries(NAMES.map((name) => [name, figure(name)])) as Record<Contender, T>;
  return {
    what,
    bursts: each((name) => middle(results[name])),
    toHive: each((name) => ratioOf(results[name], results.hive)),
    toApollo: each((name) => ratioOf(results[name], results.apollo)),
  };
}
