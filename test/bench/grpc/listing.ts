import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Burst, inTurns, middle, onServer, ratioOf, type Spread } from '../bursts.ts';
import { mutate } from '../graphql.ts';
import { type Asker, type ServerProcess, startServer } from '../processes.ts';
import type { GrpcJobs } from './load.ts';
import type { FlyteServer } from './set-up.ts';
import { admin, type Bytes, bytesOf, call, type Method } from './wire.ts';

export interface ListingRow {
  readonly agents: number;
  readonly method: Method;
  readonly bytes: number;
  readonly ours: Burst;
  readonly peer: Burst;
  readonly ratio: Spread;
}

export interface ListingOptions {
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly ms: number;
  readonly warmUp: { readonly ms: number; readonly most: number };
  readonly inFlight: number;
  readonly directory: string;
  tell(line: string): void;
}

const REGISTERED_AT_ONCE = 8;
const LISTED_WITHIN_MS = 15_000;
const nameOf = (n: number): string => `Agent number ${n}`;

/** Registers agents by GraphQL until so many are listed. */
async function grow({ rollcall, client }: FlyteServer, size: number): Promise<Bytes> {
  const listed = () => call(client, 'ListAgents', Buffer.alloc(0));
  let next = admin.ListAgentsResponse.decode(await listed()).agents.length;
  const register = async (): Promise<void> => {
    while (next < size) {
      const n = next++;
      const taskCategories = [{ name: `category_${n}`, version: 0 }];
      const input = { name: nameOf(n), executionType: 'FLYTE', flyteName: nameOf(n), taskCategories };
      await mutate(rollcall.url, 'registerAgent', input);
    }
  };
  await Promise.all(Array.from({ length: REGISTERED_AT_ONCE }, register));
  for (const until = performance.now() + LISTED_WITHIN_MS; ; await wait(20)) {
    const answer = await listed();
    const { length } = admin.ListAgentsResponse.decode(answer).agents;
    if (length === size) return answer;
    if (performance.now() > until) throw new Error(`${length} of ${size} agents are listed`);
  }
}

/** ListAgents and GetAgent against a bare server that answers the same bytes. */
export async function measureListing(
  asker: Asker<GrpcJobs>,
  flyte: FlyteServer,
  { sizes, rounds, ms, warmUp, inFlight, directory, tell }: ListingOptions,
): Promise<ListingRow[]> {
  const rows: ListingRow[] = [];
  for (const size of sizes) {
    tell(`registering up to ${size.toLocaleString('en')} agents`);
    const list = await grow(flyte, size);
    const request = bytesOf(admin.GetAgentRequest.encode({ name: nameOf(size - 1) }).finish());
    const get = await call(flyte.client, 'GetAgent', request);
    const [LIST_ANSWER, GET_ANSWER] = [join(directory, 'list'), join(directory, 'get')];
    writeFileSync(LIST_ANSWER, list);
    writeFileSync(GET_ANSWER, get);
    const peer = await startServer('grpc/servers/constant.ts', { LIST_ANSWER, GET_ANSWER });
    const cases = [
      { method: 'ListAgents', requests: [Buffer.alloc(0)], expected: list },
      { method: 'GetAgent', requests: [request], expected: get },
    ] as const;
    for (const one of cases) {
      tell(`${one.method} of ${size.toLocaleString('en')} agents`);
      const burst = (server: ServerProcess, address: string, limits: { ms: number; most?: number }): Promise<Burst> =>
        onServer(server, () => asker.ask('calls', { ...one, address, inFlight, ...limits }));
      const targets = { ours: [flyte.rollcall, flyte.address], peer: [peer, peer.url] } as const;
      for (const [server, address] of Object.values(targets)) await burst(server, address, warmUp);
      const results = await inTurns(['ours', 'peer'], rounds, (name) => burst(...targets[name], { ms }));
      rows.push({
        agents: size,
        method: one.method,
        bytes: one.expected.length,
        ours: middle(results.ours),
        peer: middle(results.peer),
        ratio: ratioOf(results.ours, results.peer),
      });
    }
    await peer.stop();
  }
  return rows;
}
