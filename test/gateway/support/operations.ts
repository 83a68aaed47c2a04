import fc from 'fast-check';
import { type DocumentNode, type GraphQLSchema, parse, validate } from 'graphql';
import { type ArgumentPool, type GeneratedOperation, generateOperation } from './generator.ts';

const POOL: ArgumentPool = {
  id: ['b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'f1', 'f2', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'p1', 'nothing'],
  itemId: ['b1', 'f1', 'b4'],
  sku: ['s1', 's4', 's5', 'none'],
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

/** So many distinct valid operations over the test world; the same seed gives the same ones in the same order. */
export function* operations(
  schema: GraphQLSchema,
  wanted: number,
  firstSeed: number,
): Generator<GeneratedOperation & { document: DocumentNode }> {
  const tape = fc.array(fc.nat(9_999), { minLength: 30, maxLength: 200, size: 'max' });
  const seen = new Set<string>();
  for (let seed = firstSeed; seen.size < wanted; seed++) {
    for (const numbers of fc.sample(tape, { numRuns: 500, seed })) {
      const operation = generateOperation(schema, numbers, POOL);
      const document = parse(operation.source);
      if (seen.size >= wanted || seen.has(operation.source)) continue;
      if (validate(schema, document).length > 0) continue;
      seen.add(operation.source);
      yield { ...operation, document };
    }
  }
}
