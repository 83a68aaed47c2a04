import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { type Burst, inTurns, middle, onServer, ratioOf, type Spread, spreadOf } from '../bursts.ts';
import { connect } from '../databases.ts';
import type { Asker } from '../processes.ts';
import { median, quantile } from '../statistics.ts';
import type { GrpcJobs } from './load.ts';
import type { FlyteServer } from './set-up.ts';
import { type Bytes, call, createRequest, getRequest, RUNNING, resourceMetaOf } from './wire.ts';

export interface RoutedRow {
  readonly method: 'GetTask' | 'CreateTask';
  readonly routed: Burst;
  readonly direct: Burst;
  readonly ratio: Spread;
}

/** Milliseconds of single GetTask calls. */
export interface Latency {
  readonly routed: number;
  readonly routedP99: number;
  readonly direct: number;
  readonly directP99: number;
  /** The difference of the medians in a round. */
  readonly added: Spread;
}

export interface RoutedFigures {
  readonly get: RoutedRow;
  readonly create: RoutedRow;
  readonly latency: Latency;
  /** Tasks that CreateTask made, and rows of them that are in the database. */
  readonly created: number;
  readonly stored: number;
}

export interface RoutedOptions {
  readonly databaseUrl: string;
  readonly rounds: number;
  readonly ms: number;
  readonly warmUp: { readonly ms: number; readonly most: number };
  readonly inFlight: number;
  /** Single calls in a round. */
  readonly singles: number;
  tell(line: string): void;
}

/** Jobs that are asked for in turn. */
const JOBS = 100;
const ROUTED_WITHIN_MS = 5_000;
const STORED_WITHIN_MS = 5_000;

/** GetTask requests for new jobs. */
async function jobsAt(address: string): Promise<Bytes[]> {
  const client = new Client(address, credentials.createInsecure());
  const create = async (): Promise<Bytes> =>
    getRequest(resourceMetaOf(await call(client, 'CreateTask', createRequest(randomUUID()))));
  try {
    const requests: Bytes[] = [];
    for (let n = 0; n < JOBS; n++) requests.push(await create());
    return requests;
  } finally {
    client.close();
  }
}

/** The routing table follows the registry within a second. */
async function untilRouted({ client }: FlyteServer): Promise<void> {
  for (const until = performance.now() + ROUTED_WITHIN_MS; ; await wait(50)) {
    try {
      await call(client, 'CreateTask', createRequest(randomUUID()));
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
  }
}

async function countTasks(databaseUrl: string): Promise<number> {
  const client = await connect(databaseUrl);
  const { rows } = await client.query<{ n: number }>('select count(*)::int as n from task');
  await client.end();
  return rows[0]!.n;
}

/** How many tasks were stored since `before`: they may be written after the answer, and then all of them soon are. */
async function countStored(databaseUrl: string, before: number, created: number): Promise<number> {
  for (const until = performance.now() + STORED_WITHIN_MS; ; await wait(100)) {
    const stored = (await countTasks(databaseUrl)) - before;
    if (stored >= created || performance.now() > until) return stored;
  }
}

/** GetTask and CreateTask through Rollcall, and at the deployment itself. */
export async function measureRouted(
  asker: Asker<GrpcJobs>,
  flyte: FlyteServer,
  { databaseUrl, rounds, ms, warmUp, inFlight, singles, tell }: RoutedOptions,
): Promise<RoutedFigures> {
  await untilRouted(flyte);
  const names = ['routed', 'direct'] as const;
  const targets = {
    routed: { server: flyte.rollcall, address: flyte.address, requests: await jobsAt(flyte.address) },
    direct: { server: flyte.deployment, address: flyte.deployment.url, requests: await jobsAt(flyte.deployment.url) },
  };
  const get = (name: (typeof names)[number], limits: { ms: number; most?: number }): Promise<Burst> => {
    const { server, address, requests } = targets[name];
    const job = { method: 'GetTask', address, requests, expected: RUNNING, inFlight, ...limits } as const;
    return onServer(server, () => asker.ask('calls', job));
  };
  tell('GetTask, many at the same time');
  for (const name of names) await get(name, warmUp);
  const got = await inTurns(names, rounds, (name) => get(name, { ms }));

  tell('GetTask, one at a time');
  const single = (times: number) =>
    asker.ask('alternate', {
      method: 'GetTask',
      targets: [targets.routed, targets.direct].map(({ address, requests }) => ({ address, requests })),
      expected: RUNNING,
      times,
    });
  await single(JOBS);
  const singly: number[][][] = [];
  for (let round = 0; round < rounds; round++) singly.push(await single(singles));

  tell('CreateTask');
  const before = await countTasks(databaseUrl);
  let created = 0;
  const create = async (name: (typeof names)[number], limits: { ms: number; most?: number }): Promise<Burst> => {
    const { server, address } = targets[name];
    const burst = await onServer(server, () => asker.ask('create', { address, inFlight, ...limits }));
    if (name === 'routed') created += burst.answered;
    return burst;
  };
  for (const name of names) await create(name, warmUp);
  const made = await inTurns(names, rounds, (name) => create(name, { ms }));
  const rowOf = (method: RoutedRow['method'], results: typeof got): RoutedRow => ({
    method,
    routed: middle(results.routed),
    direct: middle(results.direct),
    ratio: ratioOf(results.routed, results.direct),
  });
  return {
    get: rowOf('GetTask', got),
    create: rowOf('CreateTask', made),
    latency: latencyOf(singly),
    created,
    stored: await countStored(databaseUrl, before, created),
  };
}

function latencyOf(rounds: readonly number[][][]): Latency {
  const of = (target: number): number[] => rounds.flatMap((round) => round[target]!);
  return {
    routed: median(of(0)),
    routedP99: quantile(of(0), 0.99),
    direct: median(of(1)),
    directP99: quantile(of(1), 0.99),
    added: spreadOf(rounds.map(([routed, direct]) => median(routed!) - median(direct!))),
  };
}
