import { parse, printSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildApiSchema } from '../../src/gateway/api-schema.ts';
import { composeSupergraph } from '../../src/gateway/compose.ts';
import { subgraphsOf } from '../../src/gateway/supergraph.ts';
import { compose } from './support/gateway.ts';
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
