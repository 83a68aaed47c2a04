import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { App } from '../../src/app.ts';
import { importAgent, startTestApp } from '../support/app.ts';
import { createTestDatabase, DRIVERS } from '../support/database.ts';
import { schemasPresent } from '../support/published-schemas.ts';
import type { RunningAgent } from './agents/agent.ts';
import { AGENT_KINDS } from './agents/kinds.ts';
import { begin, CELLS, rest } from './cells.ts';
import { type MatrixClient, OPERATIONS } from './clients/client.ts';
import { CLIENT_KINDS } from './clients/kinds.ts';
import { sdk1 } from './clients/sdk-1.ts';
import { type Hooks, startHooks } from './hooks.ts';
import { type Era, Published } from './published.ts';
import { type Exchange, recordFetch } from './recording.ts';
import { Table } from './table.ts';
import { type GraphEvent, said, told, watchTask } from './watcher.ts';

const namesOf = (kinds: readonly { readonly name: string }[]): string[] => kinds.map(({ name }) => name);
const table = new Table(namesOf(CLIENT_KINDS), namesOf(AGENT_KINDS));

/** What clients were answered over HTTP, and the schemas of the one that asked. */
const exchanges: { readonly era: Era | undefined; readonly exchange: Exchange }[] = [];
let asking: Era | undefined;

let app: App;
let hooks: Hooks;
/** PostgreSQL where there is one: the cells are too many for both. */
let database: Awaited<ReturnType<typeof createTestDatabase>>;
const agents: Record<string, RunningAgent> = {};
/** The base of each agent behind Rollcall. */
const bases: Record<string, string> = {};

beforeAll(async () => {
  const postgres = DRIVERS.includes('postgres');
  database = await createTestDatabase(postgres ? 'postgres' : 'pglite');
  [app, hooks] = await Promise.all([
    startTestApp({ DATABASE_URL: database.url, SECRET_KEY: 'k'.repeat(32) }),
    startHooks(),
  ]);
  recordFetch((exchange) => {
    exchanges.push({ era: asking, exchange });
  });
  const { url } = app.addresses;
  for (const kind of AGENT_KINDS) {
    const agent = await kind.start();
    agents[kind.name] = agent;
    bases[kind.name] = `${url}a2a/${await importAgent(url, agent.url)}/`;
  }
});
afterAll(async () => {
  await app?.close();
  await database?.drop();
  await hooks?.close();
  await Promise.all(Object.values(agents).map((agent) => agent.close()));
  vi.unstubAllGlobals();
  process.stdout.write(`\n${table}\n`);
});

describe.each(CLIENT_KINDS)('$name', (clientKind) => {
  describe.each(AGENT_KINDS)('to an agent $name', (agentKind) => {
    let client: MatrixClient;
    beforeAll(async () => {
      asking = clientKind.schema;
      client = await clientKind.connect(bases[agentKind.name]!);
    });

    test.each(OPERATIONS)('%s', async (operation) => {
      await CELLS[operation]({ client, clientKind, agent: agents[agentKind.name]!, agentKind, hooks });
      table.fill(clientKind.name, agentKind.name, operation, clientKind.elsewhere?.includes(operation) ?? false);
    });
  });
});

describe('a GraphQL subscriber sees the same events as the A2A client', () => {
  beforeAll(() => {
    asking = undefined;
  });

  test.each(AGENT_KINDS)('of an agent $name', async ({ name }) => {
    const client = await sdk1[0]!.connect(bases[name]!);
    const { key, id, begun, events } = await begin({ client, agent: agents[name]! });
    const watched = watchTask(app.addresses.url, id);
    const seen = [(await watched.next()).value as GraphEvent];
    agents[name]!.behaviour.release(key);
    const theirs = [...begun, ...(await rest(events))];
    for await (const event of watched) seen.push(event);
    expect(seen.map(({ sequence }) => sequence)).toEqual(seen.map((_event, i) => i + 1));
    const [first, ...updates] = theirs;
    expect(first).toMatchObject({ kind: 'task' });
    // The stream begins with the task as it was after an event, and then has each that followed.
    const followed = seen.slice(-updates.length);
    expect(followed.map(said)).toEqual(updates.map(told));
    expect(seen.length - followed.length).toBeGreaterThan(0);
  });
});

describe.skipIf(!schemasPresent())('what Rollcall sent is as the older versions were published', () => {
  const published = new Published();

  test('every answer to a client', () => {
    for (const { era, exchange } of exchanges) published.answer(era, exchange);
  });

  test('every request to an agent', () => {
    for (const { name, schema } of AGENT_KINDS) {
      if (schema === undefined) continue;
      for (const { body } of agents[name]!.received) published.request(schema, body);
    }
  });

  test('everything that webhooks got', () => {
    for (const { webhook, body } of hooks.all) if (webhook !== '1.0') published.webhook(webhook, body);
  });

  test('and nothing was left out', () => {
    expect(published.unansweredDefinitions()).toEqual([]);
  });
});

test('every client reaches every agent with every operation', () => {
  expect(table.missing()).toEqual([]);
});
