import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOCAL_SUBJECT } from '../../../src/auth/principal.ts';
import { build } from '../build.ts';
import { type Burst, inTurns, onServer, spreadOf } from '../bursts.ts';
import { type BenchDatabases, openDatabases } from '../databases.ts';
import { mutate } from '../graphql.ts';
import type { HttpJobs } from '../load.ts';
import { describeMachine } from '../machine.ts';
import type { BenchOptions, BenchResult } from '../main.ts';
import { type Asker, type ServerProcess, startAsker, startRollcall } from '../processes.ts';
import { type AuthFigures, type AuthRow, report } from './report.ts';
import { makeTokens, SECRET } from './tokens.ts';

/** Requests of one burst, and rounds: short bursts, so that what else the machine does meets all servers alike. */
const FULL = { requests: 1_000, rounds: 21 };
const QUICK = { requests: 500, rounds: 3 };
const CONNECTIONS = 8;
const AGENTS = 20;
/** Until the code is compiled. */
const WARM_UP = 3_000;
/** A burst ends by itself when a machine is slower than this. */
const LONGEST_MS = 60_000;

const PACKAGES = ['jose', 'graphql', 'graphql-jit', '@apollo/server', 'fastify', 'pg'];

/** A server, and what its callers say who they are with. */
interface Door {
  readonly server: ServerProcess;
  readonly token: string | undefined;
}

/**
 * What signing in and rights cost: the same requests without them (`AUTH_MODE=none`), with a shared secret, and with
 * keys from a JWKS, in turns, by processor time of the server.
 */
export async function benchAuth({ quick, rounds, seconds: _, tell }: BenchOptions): Promise<BenchResult> {
  const plan = { ...(quick ? QUICK : FULL), ...(rounds === undefined ? {} : { rounds }) };
  tell('building');
  build();
  const databases = await openDatabases();
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const asker = startAsker<HttpJobs>('load.ts');
  const { jwks, tokens } = await makeTokens(LOCAL_SUBJECT);
  const keys = createServer((_request, response) => response.end(JSON.stringify(jwks)));
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  const { port } = keys.address() as { port: number };
  const machine = describeMachine(PACKAGES, databases.version);
  const doors = new Map<string, Door>();
  try {
    const env = {
      SECRET_KEY: SECRET,
      DATA_DIR: dataDir,
      RATE_LIMIT_PER_CALLER: '1000000000',
      RATE_LIMIT_PER_ADDRESS: '1000000000',
    };
    doors.set('none', { server: await start(databases, 'none', { ...env, AUTH_MODE: 'none' }), token: undefined });
    for (const { name, token, secret } of tokens) {
      const verification = secret ? { AUTH_SECRET: SECRET } : { AUTH_JWKS_URL: `http://127.0.0.1:${port}/` };
      const server = await start(databases, name.toLowerCase(), { ...env, AUTH_MODE: 'jwt', ...verification });
      doors.set(name, { server, token });
    }
    const rows: AuthRow[] = [];
    for (const what of CASES) rows.push(...(await measure(asker, what, doors, plan, tell)));
    const figures: AuthFigures = { machine, plan, rows };
    return { text: report(figures), figures };
  } finally {
    await Promise.all([...doors.values()].map(({ server }) => server.stop()));
    await asker.stop();
    keys.close();
    await databases.drop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** One that has what is asked for, in a database of its own: none works on what another one left. */
async function start(databases: BenchDatabases, name: string, env: Record<string, string>): Promise<ServerProcess> {
  const DATABASE_URL = await databases.create(`auth_${name.replaceAll('-', '_')}`);
  const seeded = await startRollcall({ ...env, DATABASE_URL, AUTH_MODE: 'none' });
  for (let i = 0; i < AGENTS; i++) {
    await mutate(seeded.url, 'registerAgent', {
      name: `Agent ${i}`,
      executionType: 'ECHO',
      skills: [
        { key: 'one', name: 'One' },
        { key: 'two', name: 'Two' },
      ],
    });
  }
  await seeded.stop();
  return startRollcall({ ...env, DATABASE_URL });
}

interface Case {
  readonly name: string;
  readonly path: (agentIds: readonly string[]) => string;
  readonly bodies: (agentIds: readonly string[]) => readonly string[];
}

const AGENT = 'id handle name description status provider { id name } skills { id key name }';
const CASES: readonly Case[] = [
  {
    name: 'agent(id) with provider and skills',
    path: () => 'graphql',
    bodies: (ids) =>
      ids.map((id) => JSON.stringify({ query: `query($id: ID!) { agent(id: $id) { ${AGENT} } }`, variables: { id } })),
  },
  {
    name: 'page of 20 agents with provider and skills',
    path: () => 'graphql',
    bodies: () => [JSON.stringify({ query: `{ agents(first: 20) { nodes { ${AGENT} } pageInfo { endCursor } } }` })],
  },
  {
    name: 'SendMessage (A2A 1.0, JSON-RPC)',
    path: (ids) => `a2a/${ids[0]}`,
    // Different words each time: the same message again would join the first one's task.
    bodies: () =>
      Array.from({ length: 5_000 }, (_, i) => {
        const message = { messageId: `m-${i}`, role: 'ROLE_USER', parts: [{ text: `hello ${i}` }] };
        return JSON.stringify({ jsonrpc: '2.0', id: i, method: 'SendMessage', params: { message } });
      }),
  },
];

async function measure(
  asker: Asker<HttpJobs>,
  what: Case,
  doors: ReadonlyMap<string, Door>,
  plan: { readonly requests: number; readonly rounds: number },
  tell: BenchOptions['tell'],
): Promise<AuthRow[]> {
  tell(what.name);
  const names = [...doors.keys()];
  const asked = new Map<string, (most: number) => Promise<Burst>>();
  for (const [name, { server, token }] of doors) {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const ids = await agentIds(server.url, headers);
    const job = {
      url: new URL(what.path(ids), server.url).href,
      bodies: what.bodies(ids),
      connections: CONNECTIONS,
      headers,
    };
    asked.set(name, (most) => onServer(server, () => asker.ask('burst', { ...job, most, ms: LONGEST_MS })));
  }
  for (const name of names) await asked.get(name)!(WARM_UP);
  const bursts = await inTurns(names, plan.rounds, (name) => asked.get(name)!(plan.requests));
  const base = bursts['none']!.map(({ processorMs }) => processorMs);
  return names.map((name) => {
    const own = bursts[name]!.map(({ processorMs }) => processorMs);
    return {
      what: what.name,
      name,
      processorMs: spreadOf(own),
      ofLowest: Math.min(...own) / Math.min(...base),
      ratio: spreadOf(own.map((ms, i) => ms / base[i]!)),
    };
  });
}

async function agentIds(url: string, headers: Record<string, string>): Promise<string[]> {
  const answer = await fetch(new URL('graphql', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: `{ agents(first: ${AGENTS}) { nodes { id } } }` }),
  });
  const { data } = (await answer.json()) as { data: { agents: { nodes: { id: string }[] } } };
  return data.agents.nodes.map(({ id }) => id);
}
