import { type ExecutionResult, getIntrospectionQuery, graphqlSync, parse } from 'graphql';
import { afterEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../src/gateway/create-engine.ts';
import type { Engine, ExecRequest, ExecutorFactory } from '../../src/gateway/engine.ts';
import { localExecutor } from '../../src/gateway/local.ts';
import { remoteExecutor } from '../../src/gateway/remote/remote.ts';
import { createSubgraph } from '../../src/gateway/subgraph-schema.ts';
import { answeringServer, executing, type ReceivedRequest } from './support/answering-server.ts';
import { executable } from './support/executable.ts';
import { compose, localEngine } from './support/gateway.ts';
import { worldSubgraphs } from './support/subgraphs.ts';
import { newContext } from './support/world.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});
const kept = <T extends { close(): Promise<void> }>(thing: T): T => {
  open.push(thing);
  return thing;
};

const run = async (engine: Engine, source: string, more: Partial<ExecRequest> = {}) => {
  const operationType = source.startsWith('mutation') ? 'mutation' : 'query';
  const request = { document: parse(source), operationType, context: newContext(), ...more } as const;
  return (await engine.execute(request)) as ExecutionResult;
};
const plain = (result: ExecutionResult) => JSON.parse(JSON.stringify(result));

/** The world with one of its subgraphs behind HTTP. */
async function withRemote(name: 'stock' | 'people', answer?: Parameters<typeof answeringServer>[0]) {
  const subgraphs = worldSubgraphs();
  const server = kept(await answeringServer(answer ?? executing(subgraphs[name].schema, newContext)));
  const executors: ExecutorFactory = (subgraph) =>
    subgraph === name
      ? remoteExecutor({ name, url: server.url, retries: 0 })
      : localExecutor(subgraphs[subgraph as 'catalog'].schema);
  return { engine: kept(await createEngine({ supergraphSdl: compose(subgraphs), executors })), server };
}

describe('the engine over several subgraphs', () => {
  it('asks a subgraph once for all entities, each of them once', async () => {
    const { engine, server } = await withRemote('stock');
    const result = await run(
      engine,
      '{ a: items(first: 3) { ... on Book { inStock } } b: books { id sequel { inStock } } }',
    );
    expect(result.data?.a).toHaveLength(3);
    const sent = server.requests.map(({ body }: ReceivedRequest) => Object.values(body.variables ?? {}));
    expect(sent).toHaveLength(1);
    for (const list of sent[0] as unknown[][])
      expect(new Set(list.map((r) => JSON.stringify(r))).size).toBe(list.length);
  });

  it('changes each place of an entity that it asked for once by itself', async () => {
    const engine = kept(await localEngine(worldSubgraphs()));
    // The reviews of both places are one entity of one fetch; then each author gets another field of one name.
    const source = `{
      a: item(id: "b1") { reviews(minStars: 5) { author { it: email } } }
      b: item(id: "b1") { reviews(minStars: 5) { author { it: boss { id } } } }
    }`;
    expect(plain(await run(engine, source))).toEqual({
      data: {
        a: { reviews: [{ author: { it: 'p1@example.test' } }] },
        b: { reviews: [{ author: { it: { id: 'p2' } } }] },
      },
    });
  });

  it('answers what it can when a subgraph is down, with an error at every place that lacks something', async () => {
    const { engine } = await withRemote('people', (_, response) => response.writeHead(503).end('sorry: hidden word'));
    const result = await run(
      engine,
      '{ books { id creator { ... on Person { id name } } } creators { __typename } warehouse { name } }',
    );
    expect(plain(result).data).toEqual({
      books: [
        { id: 'b1', creator: { id: 'p1', name: null } },
        { id: 'b2', creator: {} },
        { id: 'b3', creator: null },
        { id: 'b4', creator: { id: 'p1', name: null } },
        { id: 'b5', creator: { id: 'p3', name: null } },
        { id: 'b6', creator: {} },
        null,
      ],
      creators: null,
      warehouse: { name: 'Main' },
    });
    const errors = plain(result).errors as { message: string; path: unknown[]; extensions: object }[];
    expect(errors.map(({ path }) => JSON.stringify(path)).sort()).toEqual([
      '["books",0,"creator"]',
      '["books",3,"creator"]',
      '["books",4,"creator"]',
      '["creators"]',
    ]);
    for (const { message, extensions } of errors) {
      expect(message).toBe('Subgraph "people" answered HTTP 503 without JSON.');
      expect(extensions).toEqual({ code: 'UPSTREAM_INVALID', serviceName: 'people' });
    }
  });

  it('stops a mutation after a non-null field failed, also across subgraphs', async () => {
    const engine = kept(await localEngine(worldSubgraphs()));
    const context = newContext();
    const source =
      'mutation { a: rename(id: "p1", name: "A") { name } failStrictly { id } b: rename(id: "p1", name: "B") { name } }';
    const result = await run(engine, source, { context });
    expect(plain(result)).toMatchObject({ data: null, errors: [{ path: ['failStrictly'] }] });
    expect(context.state.names.get('p1')).toBe('A');
  });

  it('completes each field of a mutation before it runs the next', async () => {
    const engine = kept(await localEngine(worldSubgraphs()));
    const source =
      'mutation { rename(id: "p1", name: "A") { name reviews { id } } addReview(itemId: "b1", input: { stars: 1 }) { id } }';
    const result = plain(await run(engine, source));
    expect(result.data).toEqual({ rename: { name: 'A', reviews: [{ id: 'r1' }] }, addReview: { id: 'n2' } });
  });

  it('does not run a mutation that any condition excludes', async () => {
    const engine = kept(await localEngine(worldSubgraphs()));
    const source =
      'mutation($a: Boolean!, $b: Boolean!) { ... on Mutation @skip(if: $a) { removeReview(id: "r1") @skip(if: $b) } }';
    for (const [a, b] of [
      [true, false],
      [false, true],
      [true, true],
      [false, false],
    ]) {
      const context = newContext();
      const result = plain(await run(engine, source, { context, variables: { a, b } }));
      expect(result.data).toEqual(a || b ? {} : { removeReview: true });
      expect(context.state.log).toEqual(a || b ? [] : ['removeReview']);
    }
  });

  it('does not mistake an error of a field it needs itself for one of the client with that alias', async () => {
    const engine = kept(await localEngine(worldSubgraphs()));
    const result = plain(await run(engine, '{ book(sku: "s4") { price: id shippingCost } }'));
    expect(result).toMatchObject({ data: { book: { price: 'b4', shippingCost: null } }, errors: [{ path: ['book'] }] });
  });

  it('answers introspection from the client-facing schema, together with data', async () => {
    const engine = kept(await localEngine(worldSubgraphs()));
    const source = getIntrospectionQuery();
    expect(plain(await run(engine, source))).toEqual(plain(graphqlSync({ schema: engine.schema, source })));
    const mixed =
      'query($n: String!) { warehouse { name } ...R __type(name: $n) { name } } fragment R on Query { s: __schema { queryType { ...T } } } fragment T on __Type { name }';
    expect(plain(await run(engine, mixed, { variables: { n: 'Book' } }))).toEqual({
      data: { warehouse: { name: 'Main' }, s: { queryType: { name: 'Query' } }, __type: { name: 'Book' } },
    });
    expect(plain(await run(engine, '{ __typename }'))).toEqual({ data: { __typename: 'Query' } });
  });

  it('coerces variables, and refuses those that do not fit before anything is fetched', async () => {
    const { engine, server } = await withRemote('stock');
    const source =
      'query($express: Boolean = true, $id: ID!) { item(id: $id) { ... on Book { shippingCost(express: $express) } } }';
    expect(plain(await run(engine, source, { variables: { id: 'b1' } }))).toEqual({
      data: { item: { shippingCost: 1042 } },
    });
    const before = server.requests.length;
    expect((await run(engine, source, { variables: {} })).errors?.[0]?.message).toContain('$id');
    expect(server.requests.length).toBe(before);
  });

  it('picks the operation by name and says when it cannot', async () => {
    const engine = kept(await localEngine(worldSubgraphs()));
    const source = 'query A { warehouse { name } } query B { kits { number } }';
    expect(plain(await run(engine, source, { operationName: 'B' })).data).toEqual({
      kits: [{ number: 1 }, { number: 1 }],
    });
    expect((await run(engine, source, { operationName: 'C' })).errors?.[0]?.message).toBe(
      'Unknown operation named "C".',
    );
    expect((await run(engine, source)).errors?.[0]?.message).toMatch(/Must provide operation name/);
  });

  it('refuses the alias __proto__, and ignores it in answers', async () => {
    const engine = kept(await localEngine(worldSubgraphs()));
    expect((await run(engine, '{ warehouse { __proto__: name } }')).errors?.[0]?.message).toContain('__proto__');
    const poison = '{"data":{"_entities":[{"inStock":true,"__proto__":{"polluted":true}}]}}';
    const { engine: other } = await withRemote('stock', (_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(poison),
    );
    expect(plain(await run(other, '{ item(id: "b1") { ... on Book { inStock } } }'))).toEqual({
      data: { item: { inStock: true } },
    });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ['a list where a scalar belongs', '{"data":{"_entities":[{"inStock":[1]}]}}', ['item', 'inStock']],
    ['too few entities', '{"data":{"_entities":[]}}', ['item']],
    ['no list of entities', '{"data":{"_entities":7}}', ['item']],
    ['nothing', '{"data":null}', ['item']],
  ])('stays within the schema when a subgraph answers %s', async (_, text, path) => {
    const { engine } = await withRemote('stock', (__, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(text),
    );
    const result = plain(await run(engine, '{ item(id: "b1") { ... on Book { inStock } } }'));
    expect(result.data).toEqual({ item: null });
    expect(result.errors).toMatchObject([{ path, extensions: { code: 'UPSTREAM_INVALID' } }]);
  });

  it('throws the reason of an aborted request', async () => {
    const engine = kept(await localEngine(worldSubgraphs()));
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(run(engine, '{ kits { number } }', { signal })).rejects.toThrow('gone');
  });

  it('refuses what is no supergraph', async () => {
    const executors: ExecutorFactory = () => localExecutor(worldSubgraphs().catalog.schema);
    for (const supergraphSdl of ['type Query {', 'type Query { a: Int }']) {
      await expect(createEngine({ supergraphSdl, executors })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        field: 'SUPERGRAPH',
      });
    }
  });
});

describe('the engine over one subgraph in this process', () => {
  const SDL = /* GraphQL */ `
    directive @key(fields: String!) repeatable on OBJECT
    type Query { agents(first: Int = 2): [Agent!]! strict: Int! fails: Int }
    type Mutation { one: Int two: Int! three: Int }
    type Agent @key(fields: "id") { id: ID! name: String! self: Agent }
  `;
  const log: string[] = [];
  const logged = (name: string, value: unknown) => () => {
    log.push(name);
    return value;
  };
  const subgraph = createSubgraph(
    executable(SDL, {
      Query: {
        agents: (_: unknown, { first }: { first: number }) =>
          ['a', 'b', 'c'].slice(0, first).map((id) => ({ id, name: id === 'c' ? null : id })),
        strict: () => null,
        fails: () => {
          throw new Error('broken');
        },
      },
      Mutation: { one: logged('one', 1), two: logged('two', null), three: logged('three', 3) },
    } as never),
    { references: {} },
  );

  it.each([
    '{ agents { id name self { id } } }',
    'query($n: Int) { x: agents(first: $n) { __typename name } }',
    '{ agents(first: 3) { name } fails }',
    '{ strict fails }',
    '{ __schema { types { name } } agents { id } }',
    'query($no: Boolean = true) { agents @skip(if: $no) { id } __schema { queryType { name } } strict @include(if: $no) fails }',
    '{ __type(name: "_Entity") { name } __typename }',
    'mutation { one two three }',
  ])('answers %s as it does with a plan', async (source) => {
    const direct = kept(await localEngine({ only: subgraph }));
    const planned = kept(await localEngine({ only: subgraph }, { alwaysPlan: true }));
    log.length = 0;
    const ours = plain(await run(direct, source));
    const effects = log.splice(0);
    const theirs = plain(await run(planned, source));
    expect(ours.data).toEqual(theirs.data);
    const paths = (result: { errors?: { path: unknown }[] }) => result.errors?.map(({ path }) => path);
    expect(paths(ours)).toEqual(paths(theirs));
    expect(effects).toEqual(log.splice(0));
  });

  it('does not show the federation machinery', async () => {
    const engine = kept(await localEngine({ only: subgraph }));
    expect(plain(await run(engine, '{ __type(name: "Query") { fields { name } } }'))).toEqual({
      data: { __type: { fields: [{ name: 'agents' }, { name: 'strict' }, { name: 'fails' }] } },
    });
  });
});
