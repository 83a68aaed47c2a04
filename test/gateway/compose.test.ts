import { parse, printSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildApiSchema } from '../../src/gateway/api-schema.ts';
import { composeSupergraph } from '../../src/gateway/compose.ts';
import { composeInThread } from '../../src/gateway/composition/in-thread.ts';
import type { ReferenceResolver, Subgraph } from '../../src/gateway/subgraph-schema.ts';
import { subgraphsOf } from '../../src/gateway/supergraph.ts';
import { executableSubgraph, type Resolvers } from './support/executable.ts';
import { compose, localEngine } from './support/gateway.ts';
import { worldSubgraphs } from './support/subgraphs.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable"])\n';
const part = (name: string, sdl: string) => ({ name, url: `http://${name}.test/`, sdl: LINK + sdl });

describe('composition', () => {
  it('makes a supergraph that names its subgraphs with their URLs', () => {
    const { supergraphSdl } = composeSupergraph([
      part('a', 'type Query { a: Int }'),
      part('b-c', 'type Query { b: Int }'),
    ]);
    expect(subgraphsOf(supergraphSdl!)).toEqual([
      { enumValue: 'A', name: 'a', url: 'http://a.test/' },
      { enumValue: 'B_C', name: 'b-c', url: 'http://b-c.test/' },
    ]);
  });

  it.each([
    [
      'a field defined twice',
      [part('a', 'type Query { x: Int }'), part('b', 'type Query { x: Int }')],
      'INVALID_FIELD_SHARING',
      undefined,
    ],
    [
      'types that differ',
      [part('a', 'type Query { x: Int @shareable }'), part('b', 'type Query { x: String @shareable }')],
      'FIELD_TYPE_MISMATCH',
      undefined,
    ],
    ['an unknown type', [part('a', 'type Query { x: Missing }')], 'INVALID_GRAPHQL', 'a'],
    ['text that is not SDL', [part('a', 'type Query {')], 'INVALID_GRAPHQL', 'a'],
    [
      'a name used twice',
      [part('a', 'type Query { x: Int }'), part('a', 'type Query { y: Int }')],
      'DUPLICATE_SUBGRAPH',
      'a',
    ],
    ['nothing', [], 'NO_SUBGRAPHS', undefined],
  ])('reports %s', (_, subgraphs, code, subgraph) => {
    const { errors } = composeSupergraph(subgraphs);
    expect(errors?.[0]).toMatchObject({ code, ...(subgraph === undefined ? {} : { subgraph }) });
    expect(errors?.[0]?.message).toMatch(/\w{3}/);
  });
});

describe('the client-facing schema', () => {
  const schema = buildApiSchema(compose(worldSubgraphs()));

  it('has neither machinery nor anything inaccessible', () => {
    const text = printSchema(schema);
    expect(text).not.toMatch(/join__|link__|_Any|_Service|_entities|@inaccessible|SECRET|secret/);
    expect(text).toContain('enum Genre');
    expect(text).toContain('input ItemFilter {\n  genre: Genre\n  titleStart: String\n}');
    expect(text).toMatch(/type Film implements Item \{[^}]*reviews\(minStars: Int\)/);
  });

  it('says the same as the planner about the graph, apart from introspection', async () => {
    const { QueryPlanner } = await import('@graphql-hive/router-query-planner');
    const theirs = new QueryPlanner(compose(worldSubgraphs())).consumerSchema;
    const names = (sdl: string) =>
      parse(sdl).definitions.flatMap((definition) => ('fields' in definition ? [definition.name.value] : []));
    const own = names(printSchema(schema));
    expect(
      names(theirs)
        .filter((name) => !name.startsWith('__'))
        .sort(),
    ).toEqual(own.sort());
  });

  it('hides types, members, arguments, input fields and implementations that are inaccessible, and keeps descriptions', () => {
    const sdl = `${LINK.replace('"@shareable"', '"@shareable", "@inaccessible"')}
      type Query { "says" open(a: Int, hidden: Int @inaccessible): Both @deprecated(reason: "old") other(i: In): Int closed: Hidden @inaccessible }
      type Open implements Plain & Secretive { x: Int y: Int }
      type Hidden @inaccessible { x: Int }
      interface Plain { x: Int }
      interface Secretive @inaccessible { y: Int }
      union Both = Open | Hidden
      input In { a: Int b: Int @inaccessible }`;
    const { supergraphSdl, errors } = composeSupergraph([{ name: 'a', url: 'http://a.test/', sdl }]);
    expect(errors).toBeUndefined();
    const text = printSchema(buildApiSchema(supergraphSdl!));
    expect(text).not.toMatch(/idden|ecretive|closed/);
    expect(text).toContain('open(a: Int): Both @deprecated(reason: "old")');
    expect(text).toContain('"""says"""');
    expect(text).toContain('type Open implements Plain {');
    expect(text).toContain('input In {\n  a: Int\n}');
  });
});

describe('what composition does wrongly by itself', () => {
  const linked = (imports: string, sdl: string) =>
    `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: [${imports
      .split(' ')
      .map((name) => `"@${name}"`)
      .join(', ')}])\n${sdl}`;
  const make = (
    sdls: Record<string, string>,
    resolvers: Resolvers,
    references: Record<string, ReferenceResolver<never>>,
  ) =>
    Object.fromEntries(
      Object.entries(sdls).map(([name, sdl]) => {
        const built = executableSubgraph(sdl.replace(/^extend schema.*$/m, ''), resolvers, references);
        return [name, { ...built, sdl }];
      }),
    );
  async function answer(subgraphs: Record<string, Subgraph>, source: string) {
    const engine = await localEngine(subgraphs);
    try {
      const context = { headers: {}, principalKey: 'a' };
      const result = await engine.execute({ document: parse(source), operationType: 'query', context });
      return JSON.parse(JSON.stringify(result));
    } finally {
      await engine.close();
    }
  }

  it('a @requires with a fragment on an interface is satisfied', async () => {
    const types =
      'interface Named { name: String } type P implements Named @shareable { name: String age: Int } type Q implements Named @shareable { name: String }';
    const subgraphs = make(
      {
        a: linked(
          'key shareable',
          `type Query { agent: Agent } type Agent @key(fields: "id") { id: ID! creator: Creator } union Creator = P | Q ${types}`,
        ),
        b: linked(
          'key shareable external requires',
          `type Agent @key(fields: "id") { id: ID! creator: Creator @external line: String @requires(fields: "creator { ... on P { age } ... on Named { name } }") } union Creator = P | Q ${types} type Query { b: Int }`,
        ),
      },
      {
        Query: { agent: () => ({ id: '1', creator: { __typename: 'P', name: 'Ines', age: 40 } }) },
        Agent: { line: ({ creator }: { creator: Record<string, unknown> }) => `${creator.name} ${creator.age}` },
      } as unknown as Resolvers,
      {},
    );
    expect(await answer(subgraphs, '{ agent { line } }')).toEqual({ data: { agent: { line: 'Ines 40' } } });
  });

  it('an @external field of an @interfaceObject is fetched from its owner', async () => {
    const subgraphs = make(
      {
        a: linked(
          'key',
          'type Query { item: Item } interface Item @key(fields: "id") { id: ID! price: Int } type Book implements Item @key(fields: "id") { id: ID! price: Int }',
        ),
        b: linked(
          'key external requires interfaceObject',
          'type Query { other: Item } type Item @key(fields: "id") @interfaceObject { id: ID! price: Int @external tax: Int @requires(fields: "price") }',
        ),
      },
      {
        Query: { item: () => ({ __typename: 'Book', id: '1' }), other: () => ({ id: '2' }) },
        Book: { price: ({ id }: { id: string }) => Number(id) * 10 },
        Item: { tax: ({ price }: { price: number }) => price / 10 },
      } as unknown as Resolvers,
      { Item: (reference) => ({ ...reference, __typename: 'Book' }) },
    );
    expect(await answer(subgraphs, '{ item { price tax } other { price tax } }')).toEqual({
      data: { item: { price: 10, tax: 1 }, other: { price: 20, tax: 2 } },
    });
  });

  it('a field that is an object here and a union there is the union', async () => {
    const subgraphs = make(
      {
        a: linked(
          'key shareable',
          'type Query { first: Agent } type Agent @key(fields: "id") { id: ID! by: P @shareable } type P @shareable { name: String }',
        ),
        b: linked(
          'key shareable',
          'type Query { second: Agent } type Agent @key(fields: "id") { id: ID! by: By @shareable } union By = P | Q type P @shareable { name: String } type Q { size: Int }',
        ),
      },
      {
        Query: {
          first: () => ({ id: '1', by: { __typename: 'P', name: 'Ines' } }),
          second: () => ({ id: '2', by: { __typename: 'Q', size: 3 } }),
        },
      } as unknown as Resolvers,
      {},
    );
    const source = '{ first { by { ... on P { name } } } second { by { __typename ... on P { name } } } }';
    expect(await answer(subgraphs, source)).toEqual({
      data: { first: { by: { name: 'Ines' } }, second: { by: { __typename: 'Q' } } },
    });
  });
});

describe('composing in a thread of its own', () => {
  const bad = [{ name: 'a', url: 'http://a.test/', sdl: 'type Query { a: Missing }' }];
  const good = Object.entries(worldSubgraphs()).map(([name, { sdl }]) => ({ name, url: `http://${name}.test/`, sdl }));
  it.each([
    ['subgraphs that compose', good],
    ['subgraphs that do not', bad],
    ['no subgraph', []],
  ])('gives what composing here gives, of %s', async (_, subgraphs) => {
    expect(await composeInThread(subgraphs)).toEqual(composeSupergraph(subgraphs));
  });

  it('lets this thread go on', async () => {
    let over = false;
    const composed = composeInThread(good).finally(() => {
      over = true;
    });
    // Composed here, the promise would be settled before any timer comes to its turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(over).toBe(false);
    expect((await composed).errors).toBeUndefined();
  });
});
