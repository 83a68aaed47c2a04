import fc from 'fast-check';
import { type DocumentNode, type ExecutionResult, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RollcallError } from '../../src/errors.ts';
import type { Engine } from '../../src/gateway/engine.ts';
import { disagreements } from './support/agreement.ts';
import { featuresOf } from './support/features.ts';
import { localEngine, monolith, runMonolith } from './support/gateway.ts';
import { type GeneratedOperation, generateOperation } from './support/generator.ts';
import { worldSubgraphs } from './support/subgraphs.ts';
import { newContext } from './support/world.ts';

const OPERATIONS = 2_000;
const SEED = 20_240;

const POOL = {
  id: ['b1', 'b2', 'b3', 'b4', 'f1', 'f2', 'r1', 'r2', 'r3', 'r4', 'p1', 'nothing'],
  itemId: ['b1', 'f1', 'b4'],
  sku: ['s1', 's4', 'none'],
  email: ['p1@example.test', 'p3@example.test', 'none'],
  text: ['s', 'e', 'north'],
  titleStart: ['T', 'L', ''],
  name: ['Zed', 'Ana'],
  body: ['fine', null],
  stars: [1, 5],
  first: [1, 2, 99],
  minStars: [0, 3],
  express: [true, false],
};

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
  'null bubbling': 200,
  'error thrown by a resolver': 200,
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
  'input object (intersection of subgraphs)': 100,
};

describe('a federated graph and the same graph as one schema', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await localEngine(worldSubgraphs());
  });
  afterAll(() => engine.close());

  function* operations(): Generator<GeneratedOperation & { document: DocumentNode }> {
    const tape = fc.array(fc.nat(9_999), { minLength: 30, maxLength: 200, size: 'max' });
    const seen = new Set<string>();
    for (let seed = SEED; seen.size < OPERATIONS; seed++) {
      for (const numbers of fc.sample(tape, { numRuns: 500, seed })) {
        const operation = generateOperation(engine.schema, numbers, POOL);
        const document = parse(operation.source);
        if (seen.size >= OPERATIONS || seen.has(operation.source)) continue;
        if (validate(engine.schema, document).length > 0) continue;
        seen.add(operation.source);
        yield { ...operation, document };
      }
    }
  }

  it(`agree on ${OPERATIONS} distinct operations, planned and run twice`, { timeout: 180_000 }, async () => {
    const oracle = monolith(engine.schema);
    const counts = new Map<string, number>();
    const wrong: string[] = [];
    const refused: string[] = [];
    let overFetched = 0;
    let withErrors = 0;

    for (const { source, document, variables, operationType } of operations()) {
      for (const feature of featuresOf(document, engine.schema)) counts.set(feature, (counts.get(feature) ?? 0) + 1);
      const theirs = newContext();
      const expected = (await runMonolith(oracle, source, variables, theirs)) as ExecutionResult;
      if (expected.errors !== undefined) withErrors++;
      try {
        for (const run of ['first', 'second']) {
          const context = newContext();
          const ours = (await engine.execute({ document, variables, operationType, context })) as ExecutionResult;
          const found = disagreements(ours, expected);
          if (context.state.log.join() !== theirs.state.log.join()) found.push(`side effects: ${context.state.log}`);
          if (found.length === 0) continue;
          // Known fault of the planner: joining two fetches, it can lose a condition of one of them. A field that was
          // not wanted then fails for the object that holds it. Only ever with conditions, and never without an error.
          const conditional =
            /@(skip|include)\(if: \$/.test(source) && found.some((line) => line.startsWith('unexpected error'));
          if (conditional) overFetched++;
          else wrong.push(`${run} run of ${source} ${JSON.stringify(variables)}\n  ${found.join('\n  ')}`);
          break;
        }
      } catch (thrown) {
        if ((thrown as RollcallError).code !== 'INTERNAL') throw thrown;
        refused.push(`${source} ${String((thrown as RollcallError).cause)}`);
      }
    }

    expect(wrong).toEqual([]);
    // The planner cannot plan every valid operation: those are refused with a clear error, and stay rare.
    expect(refused.length, refused.join('\n')).toBeLessThanOrEqual(OPERATIONS / 400);
    expect(overFetched).toBeLessThanOrEqual(OPERATIONS / 400);
    expect(withErrors).toBeGreaterThan(OPERATIONS / 4);
    const missed = Object.entries(AT_LEAST).filter(([feature, least]) => (counts.get(feature) ?? 0) < least);
    expect(missed, JSON.stringify(Object.fromEntries(counts))).toEqual([]);
  });
});
