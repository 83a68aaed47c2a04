import { mintToken } from '../../../src/auth/authenticator.ts';
import type { Principal } from '../../../src/auth/principal.ts';
import { SESSION } from '../../../src/database/drivers.ts';
import { connect } from '../databases.ts';
import { ask } from '../graphql.ts';
import { startRollcall } from '../processes.ts';
import { median } from '../statistics.ts';
import { countBlocks } from './blocks.ts';
import { type Case, casesFor } from './cases.ts';
import { owner } from './seed.ts';

export interface LatencyRow {
  readonly case: Case;
  readonly p50: number;
  /** The fastest: what is left when nothing else wants the processor. */
  readonly lowest: number;
  /** Blocks of 8 kB that the list's statement touches. */
  readonly blocks: number;
  readonly items: number;
}

export interface LatencyOptions {
  readonly databaseUrl: string;
  readonly env: Record<string, string>;
  readonly rounds: number;
  readonly providers: { readonly big: string; readonly small: string };
}

const SECRET = 'a secret of the benchmark, thirty-two characters or more';
const PAGE = 20;
const DEEP = 1_000;
const STRIDE = 200;
const WARM_UP = 2;
/** A case that takes this long is asked fewer times: the run has an end. */
const SLOW_MS = 1_000;
const SLOW_ROUNDS = 3;

const list = (
  also = '',
) => `query List($filter: AgentFilterInput, $search: String, $orderBy: AgentOrderInput, $first: Int!, $after: String) {
  agents(filter: $filter, search: $search, orderBy: $orderBy, first: $first, after: $after) {
    nodes { id handle name description status provider { id name } skills { key name } } ${also} pageInfo { hasNextPage endCursor } } }`;
const WALK = `query Walk($orderBy: AgentOrderInput, $first: Int!, $after: String) {
  agents(orderBy: $orderBy, first: $first, after: $after) { pageInfo { hasNextPage endCursor } } }`;

interface Answer {
  readonly agents: { readonly nodes?: unknown[]; readonly pageInfo: { hasNextPage: boolean; endCursor: string } };
}

/** The cursor before page 1,000, or before what is left of the list after the last whole stride. */
async function deepCursor(url: string, token: string, { orderBy }: Case): Promise<string | null> {
  let after: string | null = null;
  for (let left = (DEEP - 1) * PAGE; left > 0; left -= STRIDE) {
    const variables: Record<string, unknown> = { orderBy, first: Math.min(left, STRIDE), after };
    const { agents }: Answer = await ask(url, JSON.stringify({ query: WALK, variables }), token);
    if (!agents.pageInfo.hasNextPage) break;
    after = agents.pageInfo.endCursor;
  }
  return after;
}

/**
 * Time of each case through HTTP, one request at a time, the cases in turns. The caller is an ordinary user with a
 * token, so that visibility is part of every statement.
 */
export async function measureLatency(options: LatencyOptions): Promise<LatencyRow[]> {
  const env = {
    ...options.env,
    DATABASE_URL: options.databaseUrl,
    AUTH_MODE: 'jwt',
    AUTH_SECRET: SECRET,
    RATE_LIMIT_PER_CALLER: '0',
    RATE_LIMIT_PER_ADDRESS: '0',
  };
  const server = await startRollcall(env);
  try {
    const claims = { subject: owner(1), scopes: ['registry:read'] as const, expiresInSeconds: 3_600 };
    const token = await mintToken({ AUTH_SECRET: SECRET }, claims);
    const cases = casesFor(options.providers.big, options.providers.small);
    const bodies: string[] = [];
    const cursors: (string | null)[] = [];
    for (const { filter, search, orderBy, deep, also, ...rest } of cases) {
      const after = deep ? await deepCursor(server.url, token, { ...rest, orderBy: orderBy! }) : null;
      cursors.push(after);
      bodies.push(JSON.stringify({ query: list(also), variables: { filter, search, orderBy, first: PAGE, after } }));
    }
    const times = cases.map((): number[] => []);
    const items: number[] = [];
    for (let round = -WARM_UP; round < options.rounds; round++) {
      for (const [i, body] of bodies.entries()) {
        const taken = times[i]!;
        if (taken.length >= SLOW_ROUNDS && median(taken) > SLOW_MS) continue;
        const from = performance.now();
        items[i] = (await ask<Answer>(server.url, body, token)).agents.nodes!.length;
        if (round >= 0) taken.push(performance.now() - from);
      }
    }
    const blocks = await blocksOf(options.databaseUrl, cases, cursors);
    return cases.map((one, i) => ({
      case: one,
      p50: median(times[i]!),
      lowest: Math.min(...times[i]!),
      blocks: blocks[i]!,
      items: items[i]!,
    }));
  } finally {
    await server.stop();
  }
}

const USER: Principal = { subject: owner(1), anonymous: false, scopes: new Set(['registry:read']) };

async function blocksOf(
  databaseUrl: string,
  cases: readonly Case[],
  cursors: readonly (string | null)[],
): Promise<number[]> {
  const client = await connect(databaseUrl, SESSION);
  try {
    const blocks: number[] = [];
    for (const [i, one] of cases.entries()) blocks.push(await countBlocks(client, USER, one, cursors[i]!));
    return blocks;
  } finally {
    await client.end();
  }
}
