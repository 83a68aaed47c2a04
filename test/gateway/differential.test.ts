import { type ExecutionResult, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RollcallError } from '../../src/errors.ts';
import type { Engine } from '../../src/gateway/engine.ts';
import { localExecutor } from '../../src/gateway/local.ts';
import { LONG } from '../support/soon.ts';
import { compare } from './support/agreement.ts';
import { featuresOf, outcomesOf } from './support/features.ts';
import { localEngine, monolith, runMonolith } from './support/gateway.ts';
import { operations } from './support/operations.ts';
import { worldSubgraphs } from './support/subgraphs.ts';
import { newContext } from './support/world.ts';

// Fewer for a quick look, or others for a long one: ROLLCALL_TEST_OPERATIONS=200, ROLLCALL_TEST_SEED=7.
const ALL = 2_000;
const OPERATIONS = Number(process.env['ROLLCALL_TEST_OPERATIONS'] ?? ALL);
const SEED = Number(process.env['ROLLCALL_TEST_SEED'] ?? 20_240);

/** How often each feature has to occur for the agreement to mean something. */
const AT_LEAST: Readonly<Record<string, number>> = {
  '@key: several': 200,
  '@key: composite and nested': 100,
  '@requires: arguments': 100,
  '@requires: fragments': 100,
  '@provides': 100,
  '@shareable': 100,
  '@override': 100,
  '@interfaceObject': 300,
  '@inaccessible: enum value': 50,
  '@external': 50,
  'field that may bubble null': 200,
  'null that bubbled': 200,
  'error path with list indexes': 200,
  'error thrown by a resolver': 200,
  'argument of an enum': 100,
  'field of an enum': 100,
  'several errors': 100,
  mutation: 20,
  'mutations in order': 50,
  'field of an interface': 200,
  union: 200,
  alias: 500,
  "alias that is another field's name": 200,
  __typename: 300,
  'inline fragment': 500,
  'named fragment': 50,
  variable: 400,
  'variable with default': 50,
  '@skip': 200,
  '@include': 200,
  'several conditions on one selection': 200,
  'condition below the condition of a fragment': 100,
  'input object (intersection of subgraphs)': 100,
};

/** With the keys of every object sorted. */
function inOrder(result: ExecutionResult): ExecutionResult {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
  };
  return { ...result, data: sorted(result.data) } as ExecutionResult;
}

describe('a federated graph and the same graph as one schema', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await localEngine(worldSubgraphs());
  });
  afterAll(() => engine.close());

  it(`agree on ${OPERATIONS} distinct operations, planned and run twice`, LONG, async () => {
    const oracle = monolith(engine.schema);
    const compiled = localExecutor(oracle);
    const counts = new Map<string, number>();
    const count = (feature: string) => counts.set(feature, (counts.get(feature) ?? 0) + 1);
    const wrong: string[] = [];
    const refused: string[] = [];
    let lostTogether = 0;

    for (const { source, document, variables, operationType } of operations(engine.schema, OPERATIONS, SEED)) {
      const theirs = newContext();
      const expected = (await runMonolith(oracle, source, variables, theirs)) as ExecutionResult;
      for (const feature of featuresOf(document, engine.schema)) count(feature);
      for (const outcome of outcomesOf(expected)) count(outcome);
      // The same schema through graphql-jit, as in-process subgraphs are executed. It keeps the place of a key that a
      // condition left out where it came first, so the order of keys is not compared.
      const fresh = newContext();
      const jit = (await compiled.execute({ document, variables, operationType, context: fresh })) as ExecutionResult;
      const apart = compare(inOrder(jit), inOrder(expected)).found;
      if (apart.length > 0)
        wrong.push(`graphql-jit on ${source} ${JSON.stringify(variables)}\n  ${apart.join('\n  ')}`);
      try {
        for (const run of ['first', 'second']) {
          const context = newContext();
          const ours = (await engine.execute({ document, variables, operationType, context })) as ExecutionResult;
          const comparison = compare(ours, expected);
          const found = [...comparison.found];
          if (run === 'first') lostTogether += comparison.lostTogether;
          if (context.state.log.join() !== theirs.state.log.join()) found.push(`side effects: ${context.state.log}`);
          if (found.length > 0) {
            wrong.push(`${run} run of ${source} ${JSON.stringify(variables)}\n  ${found.join('\n  ')}`);
            break;
          }
        }
      } catch (thrown) {
        if ((thrown as RollcallError).code !== 'INTERNAL') throw thrown;
        refused.push(`${source} ${String((thrown as RollcallError).cause)}`);
      }
    }

    const sorted = [...counts].sort(([a], [b]) => a.localeCompare(b));
    const told = sorted.map(([feature, times]) => `${String(times).padStart(6)}  ${feature}`).join('\n');
    process.stdout.write(
      `${OPERATIONS} operations: ${refused.length} refused, ${lostTogether} values lost with others of their fetch\n${told}\n`,
    );
    expect(wrong).toEqual([]);
    expect(refused).toEqual([]);
    // Unavoidable, and rare: see `lostTogether`.
    expect(lostTogether).toBeLessThanOrEqual(OPERATIONS / 100);
    const share = Math.min(1, OPERATIONS / ALL);
    const missed = Object.entries(AT_LEAST).filter(
      ([name, least]) => (counts.get(name) ?? 0) < Math.floor(least * share * (share < 1 ? 0.5 : 1)),
    );
    expect(missed).toEqual([]);
  });

  /** Faults that were met, each as small as it can be, and what makes it. */
  it.each<[string, string, Record<string, unknown>]>([
    [
      'types of an interface that are asked different things of a subgraph with @interfaceObject',
      '{ items(first: 9) { id ... on Film { reviews { strict } } ... on Book { averageStars reviews { stars } } } }',
      {},
    ],
    [
      'the same, of a union, where only one of the types fails',
      '{ search(text: "s") { ... on Film { reviews { strict } } ... on Book { averageStars } } }',
      {},
    ],
    [
      'a fragment spread under a condition and outside of it, which the planner writes',
      `query ($v: Boolean!) { books { sequel { creator { ... on Studio { label id } } }
        one: creatorLine @include(if: $v) two: creatorLine } }`,
      { v: false },
    ],
    [
      'an input of @requires that is lost with what the client asks of the same entity',
      '{ books { creatorLine creator { ... on Person { address { city } } } } }',
      {},
    ],
    [
      'what the client asks of an entity, lost with an input of @requires',
      '{ books { creatorLine creator { ... on Studio { name founder { id } } } } }',
      {},
    ],
    [
      'a field under the condition of its fragment and one of its own, which the planner would lose',
      `query ($v: Boolean!, $w: Boolean!) {
        named { ... on Studio @include(if: $v) { x: label @include(if: $w) } name }
      }`,
      { v: false, w: true },
    ],
    [
      'a field under two conditions of its own',
      'query ($v: Boolean!, $w: Boolean!) { named { name ... on Studio { label @include(if: $v) @skip(if: $w) } } }',
      { v: true, w: true },
    ],
    [
      'fields of two subgraphs under one condition, which the planner would lose for one of them',
      'query ($v: Boolean!) { kits { contents { averageStars @include(if: $v) title @include(if: $v) id } } }',
      { v: false },
    ],
    [
      'a field at two places, of which neither is included',
      `query ($v: Boolean!, $w: Boolean!) {
        named { name ... on Studio { label @include(if: $v) } ... on Studio { label @skip(if: $w) } }
      }`,
      { v: false, w: true },
    ],
    [
      'a field that is required with other arguments, next to another requiring field',
      '{ books { price shippingCost creatorLine x: price(currency: USD) } }',
      {},
    ],
    ['an input of @requires that failed by itself', '{ books { shippingCost creatorLine inStock: sku } }', {}],
  ])('agree on %s', async (_, source, variables) => {
    const document = parse(source);
    expect(validate(engine.schema, document)).toEqual([]);
    const expected = (await runMonolith(monolith(engine.schema), source, variables, newContext())) as ExecutionResult;
    const context = newContext();
    const ours = (await engine.execute({ document, variables, operationType: 'query', context })) as ExecutionResult;
    expect(compare(ours, expected).found).toEqual([]);
  });

  it('give null and an error for a field whose required input could not be fetched, and keep its neighbours', async () => {
    const source = '{ books { id inStock shippingCost creatorLine creator { ... on Person { address { city } } } } }';
    const request = { document: parse(source), operationType: 'query', context: newContext() } as const;
    const { data, errors } = JSON.parse(JSON.stringify(await engine.execute(request)));
    // The city of this book's creator fails, and the name is fetched with it.
    expect(data.books[4]).toEqual({ id: 'b5', inStock: true, shippingCost: 81, creatorLine: null, creator: null });
    expect(errors).toContainEqual(
      expect.objectContaining({
        path: ['books', 4, 'creatorLine'],
        extensions: { code: 'UPSTREAM_INVALID' },
        message: expect.stringContaining('requires'),
      }),
    );
  });
});
