import { type DocumentNode, type ExecutionResult, type GraphQLSchema, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../src/gateway/create-engine.ts';
import type { Engine, OperationType } from '../../src/gateway/engine.ts';
import { localExecutor } from '../../src/gateway/local.ts';
import { LONG } from '../support/soon.ts';
import { compare } from './support/agreement.ts';
import { at, differences } from './support/answer-differences.ts';
import { featuresOf } from './support/features.ts';
import { compose, monolith, runMonolith } from './support/gateway.ts';
import { operations } from './support/operations.ts';
import { createPeer, INSTALL_PEER, isPeerInstalled, PEER, type Peer } from './support/peer.ts';
import { faultOf, refusalOf } from './support/peer-faults.ts';
import { worldSubgraphs } from './support/subgraphs.ts';
import { newContext } from './support/world.ts';

const OPERATIONS = Number(process.env['ROLLCALL_TEST_OPERATIONS'] ?? 300);
const SEED = Number(process.env['ROLLCALL_TEST_SEED'] ?? 20_240);

if (!isPeerInstalled) process.stdout.write(`skipped: the comparison with ${PEER} (to run it: ${INSTALL_PEER})\n`);

/** As a client reads it. */
const told = ({ data, errors }: ExecutionResult): ExecutionResult => JSON.parse(JSON.stringify({ data, errors }));

describe.skipIf(!isPeerInstalled)(`the same graph through ${PEER}`, () => {
  let engine: Engine;
  let peer: Peer;
  beforeAll(async () => {
    const subgraphs = worldSubgraphs();
    const supergraphSdl = compose(subgraphs);
    const executors = (name: string) => localExecutor(subgraphs[name as 'catalog'].schema);
    engine = await createEngine({ supergraphSdl, executors });
    peer = await createPeer(supergraphSdl, executors);
  });
  afterAll(() => engine.close());

  interface Operation {
    readonly source: string;
    readonly document: DocumentNode;
    readonly variables: Record<string, unknown>;
    readonly operationType: OperationType;
  }

  /** Where we differ from graphql-js, which known faults of the peer show, and what none of them explains. */
  async function judge(oracle: GraphQLSchema, { source, ...request }: Operation) {
    const { document, variables } = request;
    const expected = told((await runMonolith(oracle, source, variables, newContext())) as ExecutionResult);
    const ours = told((await engine.execute({ ...request, context: newContext() })) as ExecutionResult);
    const wrong = [...compare(ours, expected).found];
    const hasShadowingAlias = featuresOf(document, engine.schema).has("alias that is another field's name");
    const faults = new Set<string>();
    const unexplained: string[] = [];
    const name = (fault: string | undefined, otherwise: string) =>
      fault === undefined ? unexplained.push(otherwise) : faults.add(fault);
    try {
      const theirs = told(await peer.execute({ ...request, source, context: newContext() }));
      for (const difference of differences(theirs.data, ours.data)) {
        const { path, theirs: value } = difference;
        if (differences(value, at(expected.data, path)).length === 0) {
          wrong.push(`${PEER} agrees with graphql-js at ${JSON.stringify(path)}, and we do not`);
        }
        name(faultOf(difference, { document, expected, theirs }), JSON.stringify(difference));
      }
    } catch (thrown) {
      name(refusalOf(thrown, document, hasShadowingAlias), String(thrown));
    }
    return { wrong, faults, unexplained };
  }

  it(`gives what ours gives for ${OPERATIONS} operations, but for its known faults`, LONG, async () => {
    const oracle = monolith(engine.schema);
    const counts = new Map<string, number>();
    const weDiffer: string[] = [];
    const unknown: string[] = [];
    let equal = 0;
    let itDiffers = 0;
    for (const operation of operations(engine.schema, OPERATIONS, SEED)) {
      const { wrong, faults, unexplained } = await judge(oracle, operation);
      const what = `${operation.source} ${JSON.stringify(operation.variables)}`;
      if (unexplained.length > 0) unknown.push([what, ...unexplained].join('\n  '));
      if (wrong.length > 0) weDiffer.push([what, ...wrong].join('\n  '));
      else if (faults.size + unexplained.length === 0) equal++;
      else itDiffers++;
      for (const fault of faults) counts.set(fault, (counts.get(fault) ?? 0) + 1);
    }

    const lines = [...counts]
      .sort(([, a], [, b]) => b - a)
      .map(([name, times]) => `${String(times).padStart(6)}  ${name}\n`);
    process.stdout.write(
      `${OPERATIONS} operations, ours and ${PEER} ${peer.version}: ${equal} equal, ${itDiffers} where it differs from ` +
        `graphql-js and we do not, ${weDiffer.length} where we differ\n${lines.join('')}`,
    );
    expect(weDiffer).toEqual([]);
    expect(unknown).toEqual([]);
    expect(equal).toBeGreaterThanOrEqual(OPERATIONS / 2);
  });

  // A rule whose fault is gone would excuse something else.
  it.each<[string, string, Record<string, unknown>?]>([
    ['a null that does not bubble', '{ kits { available } }'],
    ['no data at all instead of null or of an empty object', 'mutation { failStrictly { id } }'],
    ['lists of two selections one after the other', '{ kits { contents { id } contents { title } } }'],
    ['an input of @requires without its concrete type', '{ book(sku: "s1") { creatorLine } }'],
    ['a field computed without its required input', '{ book(sku: "s6") { creatorLine } }'],
    [
      'a type condition on an interface object',
      'mutation { addReview(itemId: "b1", input: { stars: 1 }) { body item { ... on Book { key: id } price ... on Film { id } } } }',
    ],
    [
      "an alias that is another field's name",
      '{ item(id: "b2") { creator { ... on Studio { id: founder { email } name } } } }',
    ],
    ["an alias that is another field's name", '{ book(sku: "s1") { creatorLine creator: dimensions { height } } }'],
    ["an alias that is another field's name", '{ books { id: pages averageStars creatorLine } }'],
    [
      'a field fetched that was not asked for',
      '{ search(text: "Stones") { ... on Book { averageStars } ... on Film { reviews { strict } } } }',
    ],
    [
      'a field fetched that was not asked for',
      'query ($v: Boolean!) { creators { ... on Person @skip(if: $v) { address @include(if: $v) { city } } } }',
      { v: true },
    ],
    ['an operation of which literals leave nothing', '{ named @skip(if: true) { name } }'],
    [
      'an operation it cannot plan',
      'query ($v: Boolean! = false) { items { ... on Film { minutes ... on Film @skip(if: $v) { averageStars } } } }',
    ],
  ])('still has its fault: %s', async (fault, source, variables = {}) => {
    const document = parse(source);
    expect(validate(engine.schema, document)).toEqual([]);
    const operationType = source.startsWith('mutation') ? 'mutation' : 'query';
    const judged = await judge(monolith(engine.schema), { source, document, variables, operationType });
    expect(judged).toEqual({ wrong: [], faults: new Set([fault]), unexplained: [] });
  });
});
