import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type GatewayApp, startGateway } from '../../src/app/gateway.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { ask } from '../support/app.ts';
import { type AnsweringServer, answeringServer, json } from './support/answering-server.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])`;
const AGENTS = `${LINK}
  scalar JSON
  interface Named { name: String! }
  type Query { agents: [Agent!] named: Named ids(list: [ID!]!): Int }
  type Agent implements Named @key(fields: "id") { id: ID! name: String! }`;
const COSTS = `${LINK}
  scalar JSON
  type Query { spent: Int }
  enum Unit { EUR USD }
  type Agent @key(fields: "id") { id: ID! cost: Int total: Int! unit: Unit notes: [Note] raw: JSON }
  type Note { text: String! }`;

type Answer = Parameters<typeof answeringServer>[0];

const LIST = ['a', 'b', 'c'].map((id) => ({ __typename: 'Agent', id, name: `Agent ${id}` }));
const healthy: Answer = (_, response) => json(response, { data: { agents: LIST, named: LIST[0], ids: 1 } });
const entities =
  (list: unknown): Answer =>
  (_, response) =>
    json(response, { data: { _entities: list } });
const raw =
  (text: string, status = 200, type = 'application/json'): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': type }).end(text);
const priced = [1, 2, 3].map((cost) => ({ cost }));
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

let folder: string;
let agents: AnsweringServer;
let costs: AnsweringServer;
let app: GatewayApp;
let answerAgents: Answer;
let answerCosts: Answer;

const start = async (costsUrl: string): Promise<GatewayApp> => {
  // A file of its own: a gateway follows the one that it was started with.
  const list = join(mkdtempSync(join(folder, 'gateway-')), 'subgraphs.json');
  writeFileSync(
    list,
    JSON.stringify([
      { name: 'agents', url: agents.url, sdl: AGENTS, timeoutMs: 5_000 },
      { name: 'costs', url: costsUrl, sdl: COSTS, timeoutMs: 1_500 },
    ]),
  );
  const config = readConfig({ PORT: '0', LOG_LEVEL: 'silent', SUBGRAPHS: list });
  const started = await startGateway(config, createLog('silent'));
  await started.loaded;
  return started;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-faults-'));
  agents = await answeringServer((request, response) => answerAgents(request, response));
  costs = await answeringServer((request, response) => answerCosts(request, response));
  app = await start(costs.url);
});
beforeEach(() => {
  answerAgents = healthy;
  answerCosts = entities(priced);
});
afterEach(async () => {
  // Whatever came before: the gateway goes on answering.
  answerAgents = healthy;
  answerCosts = entities(priced);
  expect((await ask(app.url, QUERY)).data).toEqual(withCosts(1, 2, 3));
});
afterAll(async () => {
  await app.close();
  await Promise.all([agents.close(), costs.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const QUERY = '{ agents { id cost } }';
const withCosts = (...values: unknown[]) => ({ agents: values.map((cost, i) => ({ id: LIST[i]!.id, cost })) });
const EVERYWHERE = [0, 1, 2].map((i) => ['agents', i]);

describe('a subgraph that is asked for entities', () => {
  it('is healthy, for comparison', async () => {
    expect(await ask(app.url, QUERY)).toMatchObject({ status: 200, data: withCosts(1, 2, 3) });
  });

  it.each<[string, Answer, string]>([
    ['never answers', () => {}, 'UPSTREAM_TIMEOUT'],
    [
      'stops in the middle',
      (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).write('{'),
      'UPSTREAM_TIMEOUT',
    ],
    ['answers HTML', raw('<h1>secret</h1>', 200, 'text/html'), 'UPSTREAM_INVALID'],
    ['answers 500', raw('secret', 500, 'text/plain'), 'UPSTREAM_INVALID'],
    ['answers half of a JSON text', raw('{"data":{"_entities":[{"cost":1}'), 'UPSTREAM_INVALID'],
    ['hangs up', (_, r) => r.destroy(), 'UPSTREAM_UNREACHABLE'],
    ['answers a list as data', raw('{"data":[1,2]}'), 'UPSTREAM_INVALID'],
    ['answers no list of entities', entities('secret'), 'UPSTREAM_INVALID'],
    ['answers null for the list', entities(null), 'UPSTREAM_INVALID'],
    ['answers too few entities', entities(priced.slice(1)), 'UPSTREAM_INVALID'],
    ['answers too many entities', entities([...priced, { cost: 4 }]), 'UPSTREAM_INVALID'],
    ['answers lists as entities', entities([[1], [2], [3]]), 'UPSTREAM_INVALID'],
    ['answers a bomb of nested lists', raw(`{"data":{"_entities":${nested(200_000)}}}`), 'UPSTREAM_INVALID'],
  ])('that %s leaves the others their data, with an error at each place', async (_, answer, code) => {
    answerCosts = answer;
    const { status, data, errors } = await ask(app.url, QUERY);
    expect(status).toBe(200);
    expect(data).toEqual(withCosts(null, null, null));
    expect(errors?.map(({ path, extensions }) => [path, extensions['code']])).toEqual(
      EVERYWHERE.map((path) => [path, code]),
    );
    expect(JSON.stringify(errors)).not.toMatch(/secret| at .*\.ts/);
  });

  it('that nobody runs leaves the others their data', async () => {
    const free = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
    });
    const other = await start(`http://127.0.0.1:${free}/`);
    const { data, errors } = await ask(other.url, QUERY).finally(() => other.close());
    expect(data).toEqual(withCosts(null, null, null));
    expect(errors?.map(({ path, extensions }) => [path, extensions['code']])).toEqual(
      EVERYWHERE.map((path) => [path, 'UPSTREAM_UNREACHABLE']),
    );
  });

  it('that does not know one of the entities answers null for it, which is no error', async () => {
    answerCosts = entities([{ cost: 1 }, null, { cost: 3 }]);
    const { data, errors } = await ask(app.url, QUERY);
    expect([data, errors]).toEqual([withCosts(1, null, 3), undefined]);
  });

  it('that gives null for a non-null field: the null goes up to where it may stand', async () => {
    answerCosts = entities([{ total: 1 }, null, { total: 3 }]);
    const { data, errors } = await ask(app.url, '{ agents { id total } }');
    expect(data).toEqual({ agents: null });
    expect(errors).toMatchObject([{ path: ['agents', 1, 'total'], extensions: { code: 'UPSTREAM_INVALID' } }]);
  });

  it('that names another type than was asked of does not change what an object is', async () => {
    answerCosts = entities(priced.map((entity) => ({ ...entity, __typename: 'Query' })));
    const { data, errors } = await ask(app.url, '{ agents { __typename id cost } }');
    expect(errors).toBeUndefined();
    expect(data).toEqual({ agents: withCosts(1, 2, 3).agents.map((one) => ({ __typename: 'Agent', ...one })) });
  });

  it('that reports errors without a path: told at the list, and the data stays', async () => {
    answerCosts = (_, response) =>
      json(response, { errors: [{ message: 'odd' }], data: { _entities: [{ cost: 1 }, null, null] } });
    const { data, errors } = await ask(app.url, QUERY);
    expect(data).toEqual(withCosts(1, null, null));
    expect(errors).toMatchObject([{ path: ['agents'] }]);
  });

  it.each<[string, string, string, unknown]>([
    ['a text for a number', 'cost', '"many"', null],
    ['a fraction for a whole number', 'cost', '1.5', null],
    ['a number that is too large', 'cost', '4294967296', null],
    ['an object for a number', 'cost', '{"a":1}', null],
    ['a value that its enum does not have', 'unit', '"GBP"', null],
    ['an object for a list', 'notes { text }', '{"text":"x"}', null],
    ['a list of texts for a list of objects', 'notes { text }', '["x"]', [null]],
    ['a number for a text, deeper inside', 'notes { text }', '[{"text":7}]', [null]],
    ['a bomb of nested lists', 'notes { text }', nested(100_000), [null]],
  ])('that answers %s: null there, with an error', async (_, selection, value, expected) => {
    const name = selection.split(' ')[0]!;
    answerCosts = raw(`{"data":{"_entities":[{"${name}":${value}},{"${name}":null},{"${name}":null}]}}`);
    const { data, errors } = await ask(app.url, `{ agents { ${selection} } }`);
    expect(data).toEqual({ agents: [{ [name]: expected }, { [name]: null }, { [name]: null }] });
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.path?.slice(0, 3)).toEqual(['agents', 0, name]);
    expect(errors?.[0]?.extensions['code']).toBe('UPSTREAM_INVALID');
  });

  it('that answers a bomb of nested lists for a scalar of any shape ends in an error, not in a crash', async () => {
    answerCosts = raw(`{"data":{"_entities":[{"raw":${nested(100_000)}},null,null]}}`);
    const { status, errors } = await ask(app.url, '{ agents { raw } }');
    expect(status).toBeLessThanOrEqual(500);
    expect(errors?.length).toBeGreaterThan(0);
  });
});

describe('a subgraph that is asked for root fields', () => {
  it.each<[string, Answer, unknown]>([
    [
      'a type that the interface does not have',
      raw('{"data":{"named":{"__typename":"Note","name":"x"}}}'),
      { named: null },
    ],
    ['a type that is none', raw('{"data":{"named":{"__typename":7,"name":"x"}}}'), { named: null }],
    ['a list for an object', raw('{"data":{"named":[1]}}'), { named: null }],
    ['a text for an object', raw('{"data":{"named":"x"}}'), { named: null }],
    ['nothing for what may not be null', raw('{"data":{"named":{"__typename":"Agent"}}}'), { named: null }],
  ])('and answers %s: null, with an error', async (_, answer, expected) => {
    answerAgents = answer;
    const { data, errors } = await ask(app.url, '{ named { __typename name } }');
    expect(data).toEqual(expected);
    expect(errors?.map(({ extensions }) => extensions['code'])).toEqual(['UPSTREAM_INVALID']);
    expect(errors?.[0]?.path?.[0]).toBe('named');
  });

  it('and answers a bomb of nested lists where it should answer a list of objects', async () => {
    answerAgents = raw(`{"data":{"agents":${nested(100_000)}}}`);
    const { status, data, errors } = await ask(app.url, QUERY);
    expect(status).toBeLessThanOrEqual(500);
    expect(data?.agents ?? null).toBeNull();
    expect(errors?.length).toBeGreaterThan(0);
  });
});

describe('a client', () => {
  const deep = (levels: number) => `{ agents ${'{ agents '.repeat(levels)}{ id }${' }'.repeat(levels)} }`;
  it.each<[string, string, unknown?]>([
    ['a query of great depth', deep(4_000)],
    ['brackets without end', '{'.repeat(100_000)],
    ['lists without end', `{ ids(list: ${'['.repeat(50_000)}) }`],
    ['a query of great width', `{ ${'agents { id } '.repeat(5_000)} }`],
    ['very many aliases', `{ ${Array.from({ length: 3_000 }, (_, i) => `a${i}: __typename`).join(' ')} }`],
    ['fragments in a circle', '{ agents { ...A } } fragment A on Agent { ...B } fragment B on Agent { ...A }'],
    ['a fragment of itself', '{ agents { ...A } } fragment A on Agent { id ...A }'],
    [
      'fragments that multiply',
      `{ agents { ...F0 } } ${Array.from({ length: 30 }, (_, i) => `fragment F${i} on Agent { ...F${i + 1} ...F${i + 1} id }`).join(' ')} fragment F30 on Agent { name nope }`,
    ],
    [
      'very many variables',
      `query(${Array.from({ length: 2_000 }, (_, i) => `$v${i}: ID!`).join(' ')}) { ids(list: []) }`,
    ],
    ['a list of wrong values', 'query($list: [ID!]!) { ids(list: $list) }', { list: Array(20_000).fill({ a: 1 }) }],
  ])('that sends %s is refused in time', async (_, query, variables) => {
    const from = performance.now();
    const { data, errors } = await ask(app.url, query, variables);
    expect(data ?? null).toBeNull();
    expect(errors?.length).toBeGreaterThan(0);
    expect(JSON.stringify(errors).length).toBeLessThan(100_000);
    expect(performance.now() - from).toBeLessThan(20_000);
  });

  it('that sends a long list of good values is answered', async () => {
    const list = Array.from({ length: 20_000 }, (_, i) => String(i));
    const { data, errors } = await ask(app.url, 'query($list: [ID!]!) { ids(list: $list) }', { list });
    expect([data, errors]).toEqual([{ ids: 1 }, undefined]);
  });
});
