import { buildSchema, type ExecutionResult, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizing } from '../../src/gateway/authorize/authorized.ts';
import { createEngine } from '../../src/gateway/create-engine.ts';
import { weightOf } from '../../src/gateway/document-weight.ts';
import type { Engine, ExecRequest, GatewayContext } from '../../src/gateway/engine.ts';
import { localExecutor } from '../../src/gateway/local.ts';
import { selectOperation } from '../../src/gateway/operation.ts';
import type { Prepare } from '../../src/gateway/prepare-operation.ts';
import { createSubgraph } from '../../src/gateway/subgraph-schema.ts';
import { executable, executableSubgraph } from './support/executable.ts';
import { compose } from './support/gateway.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.6",
  import: ["@key", "@authenticated", "@requiresScopes", "@policy"])`;
const DIRECTIVES = `
  directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
  directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
  directive @policy(policies: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
`;
const CATALOG = /* GraphQL */ `
  type Query { products: [Product!]! media: [Media!]! audit: Audit secretOnly: Secret! @authenticated named: [Named!]! }
  type Mutation { reprice: Int @requiresScopes(scopes: [["write:price"]]) touch: Int }
  type Subscription { prices: Price @authenticated }
  type Price { value: Float }
  type Product @key(fields: "id") { id: ID! name: String! cost: Float @authenticated }
  interface Named { name: String }
  type Book implements Named { name: String }
  type Letter implements Named { name: String @requiresScopes(scopes: [["post"]]) }
  union Media = Photo | Diary
  type Photo { title: String }
  type Diary @authenticated { title: String }
  type Audit { entries: Int @policy(policies: [["auditors"]]) }
  type Secret { code: String }
`;
const MARGINS = /* GraphQL */ `
  type Query { margins: Int }
  type Product @key(fields: "id") { id: ID! margin: Float! @requiresScopes(scopes: [["read:margin", "read:cost"], ["finance"]]) grade: Grade }
  enum Grade @requiresScopes(scopes: [["finance"]]) { A B }
`;

let engine: Engine;
const asked: string[] = [];
const note = (name: string, value: unknown) => () => {
  asked.push(name);
  return value;
};
beforeAll(async () => {
  const catalog = executable(DIRECTIVES + CATALOG, {
    Query: {
      products: () => [
        { id: '1', name: 'one' },
        { id: '2', name: 'two' },
      ],
      media: () => [
        { __typename: 'Photo', title: 'sea' },
        { __typename: 'Diary', title: 'mine' },
      ],
      named: () => [
        { __typename: 'Book', name: 'open' },
        { __typename: 'Letter', name: 'sealed' },
      ],
      audit: () => ({ entries: 3 }),
      secretOnly: note('secretOnly', { code: 'x' }),
    },
    Mutation: { reprice: note('reprice', 1), touch: note('touch', 2) },
    Product: { cost: note('cost', 5) },
  });
  catalog.getSubscriptionType()!.getFields()['prices']!.subscribe = () => {
    asked.push('prices');
    return (async function* () {
      yield { prices: { value: 1 } };
    })();
  };
  const subgraph = createSubgraph(catalog, { references: { Product: ({ id }) => ({ id }) } });
  const margins = executableSubgraph(
    DIRECTIVES + MARGINS,
    { Product: { margin: note('margin', 0.5), grade: () => 'A' } },
    { Product: ({ id }) => ({ id }) },
  );
  const bare = (sdl: string) => `${LINK}\n${sdl}`;
  engine = await createEngine({
    supergraphSdl: compose({
      catalog: { ...subgraph, sdl: bare(CATALOG) },
      margins: { ...margins, sdl: bare(MARGINS) },
    }),
    executors: (name) => localExecutor(name === 'catalog' ? subgraph.schema : margins.schema),
  });
});
afterAll(() => engine?.close());

const NOBODY: GatewayContext = { headers: {}, principalKey: 'nobody' };
const holding = (...scopes: string[]): GatewayContext => ({
  headers: {},
  principalKey: `holder of ${scopes.join()}`,
  signedIn: true,
  holdsScope: (scope) => scopes.includes(scope),
});

async function ask(query: string, context: GatewayContext, more: Partial<ExecRequest> = {}) {
  asked.length = 0;
  const result = (await engine.execute({
    document: parse(query),
    operationType: 'query',
    context,
    ...more,
  })) as ExecutionResult;
  const errors = (result.errors ?? []).map(({ path, extensions }) => [path?.join('.'), extensions['code']]);
  return {
    data: JSON.parse(JSON.stringify(result.data ?? null)),
    errors,
    messages: result.errors?.map((e) => e.message),
  };
}

describe('what a supergraph asks of callers', () => {
  test('a field for those who signed in is null to others, with an error at each place, and is not fetched', async () => {
    const query = '{ products { name cost } }';
    expect(await ask(query, NOBODY)).toEqual({
      data: {
        products: [
          { name: 'one', cost: null },
          { name: 'two', cost: null },
        ],
      },
      errors: [
        ['products.0.cost', 'UNAUTHENTICATED'],
        ['products.1.cost', 'UNAUTHENTICATED'],
      ],
      messages: ['Product.cost: sign in first.', 'Product.cost: sign in first.'],
    });
    expect(asked).toEqual([]);
    expect((await ask(query, holding())).data.products).toEqual([
      { name: 'one', cost: 5 },
      { name: 'two', cost: 5 },
    ]);
  });

  test('scopes: one of the sets, whole; the refusal of a field that may not be null bubbles up', async () => {
    const query = '{ products { name margin } }';
    const refused = await ask(query, holding('read:margin'));
    expect(refused.data).toBeNull();
    expect(refused.errors).toEqual([['products.0.margin', 'FORBIDDEN']]);
    expect(refused.messages?.[0]).toBe(
      'Product.margin: the token needs the scopes read:margin and read:cost, or finance.',
    );
    expect(asked).toEqual([]);
    for (const context of [holding('finance'), holding('read:cost', 'read:margin')]) {
      expect((await ask(query, context)).data.products[0]).toEqual({ name: 'one', margin: 0.5 });
    }
  });

  test('a type asks wherever it is returned: by fields, and by what an abstract type turns out to be', async () => {
    expect((await ask('{ products { grade } }', holding())).errors[0]).toEqual(['products.0.grade', 'FORBIDDEN']);
    const media = '{ media { ... on Photo { title } ... on Diary { title } } }';
    expect(await ask(media, NOBODY)).toMatchObject({ data: null, errors: [['media.1', 'UNAUTHENTICATED']] });
    expect((await ask(media, holding())).data.media).toEqual([{ title: 'sea' }, { title: 'mine' }]);
    // Composition lifts what one implementation asks to the interface's field.
    const named = '{ named { name } }';
    expect(await ask(named, holding())).toMatchObject({
      data: { named: [{ name: null }, { name: null }] },
      errors: [
        ['named.0.name', 'FORBIDDEN'],
        ['named.1.name', 'FORBIDDEN'],
      ],
    });
    const each = '{ named { ... on Book { name } ... on Letter { name } } }';
    expect(await ask(each, holding())).toMatchObject({
      data: { named: [{ name: 'open' }, { name: null }] },
      errors: [['named.1.name', 'FORBIDDEN']],
    });
    expect((await ask(named, holding('post'))).data.named[1]).toEqual({ name: 'sealed' });
  });

  test('fragments, aliases and what is skipped change nothing', async () => {
    const query = `query Q($no: Boolean = false) {
      products { ...F other: cost again: cost @include(if: $no) }
    } fragment F on Product { deep: cost name }`;
    const { data, errors } = await ask(query, NOBODY);
    expect(data.products[0]).toEqual({ deep: null, name: 'one', other: null });
    expect(errors).toHaveLength(4);
    expect(asked).toEqual([]);
  });

  test('a mutation that is refused does not run; the ones beside it do', async () => {
    const mutation = { operationType: 'mutation' } as const;
    expect(await ask('mutation { reprice touch }', holding(), mutation)).toMatchObject({
      data: { reprice: null, touch: 2 },
      errors: [['reprice', 'FORBIDDEN']],
    });
    expect(asked).toEqual(['touch']);
    expect((await ask('mutation { reprice }', holding('write:price'), mutation)).data).toEqual({ reprice: 1 });
  });

  test('a stream that is refused does not begin', async () => {
    const subscription = { operationType: 'subscription' } as const;
    expect(await ask('subscription { prices { value } }', NOBODY, subscription)).toMatchObject({
      data: null,
      errors: [[undefined, 'UNAUTHENTICATED']],
    });
    expect(asked).toEqual([]);
  });

  test('a policy, which only another router knows, is met by nobody', async () => {
    const { data, messages } = await ask('{ audit { entries } }', holding('auditors', 'finance'));
    expect(data).toEqual({ audit: { entries: null } });
    expect(messages).toEqual(['Audit.entries: it stands under a policy that this gateway cannot evaluate.']);
  });

  test('an operation of refused fields alone asks nobody, and introspection stays', async () => {
    expect(await ask('{ secretOnly { code } }', NOBODY)).toMatchObject({
      data: null,
      errors: [['secretOnly', 'UNAUTHENTICATED']],
    });
    const { data } = await ask('{ __schema { queryType { name } } audit { entries } }', NOBODY);
    expect(data).toEqual({ __schema: { queryType: { name: 'Query' } }, audit: { entries: null } });
  });
});

test('what is prepared for callers is kept within the bound of all that is kept of operations', async () => {
  const secrets = ['a', 'b', 'c', 'd', 'e', 'f'];
  const schema = buildSchema(`type Query { open: Int ${secrets.map((name) => `${name}: Int`).join(' ')} }`);
  const requirements = new Map(
    secrets.map((name) => {
      const coordinate = `Query.${name}`;
      return [coordinate, { coordinate, signedIn: true, scopes: [[name]], policy: false }];
    }),
  );
  let prepared = 0;
  const prepare: Prepare = async (_asked, allowed) => {
    if (allowed !== undefined) prepared += 1;
    return () => ({ data: {} });
  };
  const authorized = authorizing(schema, requirements, prepare);
  /** Of each operation as many variants as there are sets of secrets. */
  const callers = Array.from({ length: 2 ** secrets.length - 1 }, (_, set) =>
    holding(...secrets.filter((_, bit) => (set >> bit) & 1)),
  );
  const document = parse(`{ ${secrets.join(' ')} ${'open '.repeat(600)} }`);
  const selected = selectOperation(document, undefined);
  if (selected instanceof Error) throw selected;
  const runs = [await authorized(selected), await authorized(selected)];
  const requests = runs.flatMap((run) => callers.map((context) => ({ run, context })));
  const ask = async ({ run, context }: (typeof requests)[number]): Promise<void> => {
    await run({ document, operationType: 'query', context });
  };
  for (const each of requests) await ask(each);
  expect(prepared).toBe(requests.length);
  // The latest first: what is prepared again pushes out only what was asked for again.
  for (const each of requests.toReversed()) await ask(each);
  const weight = (2 * requests.length - prepared) * weightOf(document);
  expect(weight).toBeLessThanOrEqual(64 * 1024 * 1024);
  expect(weight).toBeGreaterThan(60 * 1024 * 1024);
});
