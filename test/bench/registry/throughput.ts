import { deepStrictEqual } from 'node:assert';
import { type Burst, middle, onServer } from '../bursts.ts';
import { ask } from '../graphql.ts';
import type { HttpJobs } from '../load.ts';
import { type Asker, type ServerProcess, startRollcall, startServer } from '../processes.ts';
import { median } from '../statistics.ts';
import { agentBody, pageBody } from './operations.ts';

export interface ThroughputOptions {
  readonly databaseUrl: string;
  readonly env: Record<string, string>;
  readonly rounds: number;
  readonly ms: number;
}

export interface ThroughputRow {
  readonly what: string;
  readonly ours: Burst;
  readonly peer: Burst;
  /** The median over rounds of ours / peer's requests a second. */
  readonly ratio: number;
  readonly ratios: readonly number[];
}

const CONNECTIONS = 16;
const MOST = 50_000;
/** Until the code is compiled, or long enough. */
const WARM_UP = { ms: 10_000, most: 4_000 };
/** Different pages and agents that are asked for in turn. */
const PAGES = 50;

/** The pages that are asked for, walked through Rollcall's own cursors, and the agents on them. */
async function collect(url: string): Promise<Record<string, readonly string[]>> {
  const pages: string[] = [];
  const agents: string[] = [];
  let after: string | null = null;
  for (let n = 0; n < PAGES; n++) {
    const body: string = pageBody(after);
    pages.push(body);
    const {
      agents: page,
    }: { agents: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } = await ask(
      url,
      body,
    );
    agents.push(...page.nodes.map((node) => agentBody(node.id)));
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  return {
    'page of 20 agents with provider and skills': pages,
    'agent(id) with provider and skills': agents,
  };
}

async function checkEqual(ours: string, peer: string, bodies: readonly string[]): Promise<void> {
  for (const body of bodies.slice(0, PAGES)) deepStrictEqual(await ask(ours, body), await ask(peer, body));
}

/** Requests a second of Rollcall and of the peer, in turns, so that whatever else the machine does meets both. */
export async function measureThroughput(asker: Asker<HttpJobs>, options: ThroughputOptions): Promise<ThroughputRow[]> {
  const ours = await startRollcall({ ...options.env, DATABASE_URL: options.databaseUrl, AUTH_MODE: 'none' });
  const peer = await startServer('registry/peer.ts', { DATABASE_URL: options.databaseUrl });
  try {
    const rows: ThroughputRow[] = [];
    for (const [what, bodies] of Object.entries(await collect(ours.url))) {
      await checkEqual(ours.url, peer.url, bodies);
      rows.push(await compare(asker, what, bodies, ours, peer, options));
    }
    return rows;
  } finally {
    await ours.stop();
    await peer.stop();
  }
}

async function compare(
  asker: Asker<HttpJobs>,
  what: string,
  bodies: readonly string[],
  ours: ServerProcess,
  peer: ServerProcess,
  { rounds, ms }: ThroughputOptions,
): Promise<ThroughputRow> {
  const burst = (server: ServerProcess, limits: { ms: number; most: number } = { ms, most: MOST }): Promise<Burst> => {
    const url = new URL('graphql', server.url).href;
    return onServer(server, () => asker.ask('burst', { url, bodies, connections: CONNECTIONS, ...limits }));
  };
  for (const server of [ours, peer]) await burst(server, WARM_UP);
  const results: { ours: Burst; peer: Burst }[] = [];
  for (let round = 0; round < rounds; round++) {
    // Who goes first changes, so that a machine that slows down in the course of a round favours neither.
    const first = round % 2 === 0 ? await burst(ours) : undefined;
    const theirs = await burst(peer);
    results.push({ ours: first ?? (await burst(ours)), peer: theirs });
  }
  const ratios = results.map((r) => r.ours.perSecond / r.peer.perSecond);
  return {
    what,
    ours: middle(results.map((r) => r.ours)),
    peer: middle(results.map((r) => r.peer)),
    ratio: median(ratios),
    ratios,
  };
}
