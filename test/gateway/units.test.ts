import fc from 'fast-check';
import { buildSchema, getOperationAST, type OperationDefinitionNode, parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { DocumentCache } from '../../src/gateway/document-cache.ts';
import { weightOf } from '../../src/gateway/document-weight.ts';
import { fieldsOf } from '../../src/gateway/field-count.ts';
import { checkLimits, DEFAULT_LIMITS } from '../../src/gateway/host/limits.ts';
import { KeptDocuments } from '../../src/gateway/kept-documents.ts';
import { LruMap } from '../../src/gateway/lru.ts';
import { ClientKeys, toClientPath } from '../../src/gateway/plan/client-keys.ts';
import { copyJson, createMerge } from '../../src/gateway/plan/merge.ts';
import { PlannerDocuments } from '../../src/gateway/plan/planner-document.ts';
import { runSerially, splitMutation } from '../../src/gateway/serial-mutation.ts';

describe('an LRU map', () => {
  it('never holds more than its capacity, and keeps what was used last', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 9 }), write: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
        const map = new LruMap<number, string>(capacity);
        const recent: number[] = [];
        for (const { key, write } of steps) {
          const known = recent.includes(key);
          if (!write) expect(map.get(key)).toBe(known ? String(key) : undefined);
          else map.set(key, String(key));
          if (!write && !known) continue;
          if (known) recent.splice(recent.indexOf(key), 1);
          recent.push(key);
          if (recent.length > capacity) recent.shift();
          expect(map.size).toBe(recent.length);
        }
      }),
      { seed: 1 },
    );
  });

  it('never weighs more than it may, and forgets what was not used for longest', () => {
    const entry = fc.record({ key: fc.integer({ min: 0, max: 9 }), weight: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 20 }), fc.array(entry, { maxLength: 60 }), (most, entries) => {
        const map = new LruMap<number, number>(100, most);
        let kept: { key: number; weight: number }[] = [];
        for (const { key, weight } of entries) {
          map.set(key, weight, weight);
          kept = [...kept.filter((other) => other.key !== key), { key, weight }];
          while (kept.reduce((sum, { weight: one }) => sum + one, 0) > most) kept.shift();
          expect(map.latestKeys(100)).toEqual(kept.map((one) => one.key).reverse());
        }
      }),
      { seed: 1 },
    );
  });
});

const fragment = (name: string, inner: string): string => `fragment ${name} on T { ${inner} ${inner} }`;
/** `levels` fragments, each of which spreads the next one twice. */
const doubling = (levels: number): string =>
  [...Array.from({ length: levels }, (_, n) => fragment(`F${n}`, `...F${n + 1}`)), fragment(`F${levels}`, 'x')].join(
    ' ',
  );

describe('the fields of an operation', () => {
  const count = (text: string): number[] => {
    const document = parse(text);
    return document.definitions.flatMap((d) => (d.kind === 'OperationDefinition' ? [fieldsOf(document, d)] : []));
  };

  it('are those of its fragments, each time that they are spread, and of no other operation', () => {
    expect(count('query A { a { x } ...F ... on T { ...F y } } query B { ...F } fragment F on T { f { g } }')).toEqual([
      7, 2,
    ]);
    expect(count('{ a ...Missing }')).toEqual([1]);
  });

  it('cost no more to count than to write where fragments multiply one another, and end where one spreads itself', () => {
    expect(count(`{ ...F0 } ${doubling(1_000)}`)).toEqual([2 ** 1_001]);
    expect(count('{ ...F } fragment F on Query { a ...F ...G } fragment G on Query { b ...F }')).toEqual([2]);
  });

  it('are counted by the document that is asked about, also where two share an operation', () => {
    const document = parse('{ ...F } fragment F on T { x y }');
    const operation = document.definitions[0] as OperationDefinitionNode;
    const other = { ...document, definitions: [operation, ...parse('fragment F on T { x }').definitions] };
    expect([fieldsOf(document, operation), fieldsOf(other, operation), fieldsOf(document, operation)]).toEqual([
      2, 1, 2,
    ]);
  });

  it('are limited as they are weighed', () => {
    const schema = buildSchema('type Query { t: T } type T { id: ID }');
    const document = parse(`{ t { ...F0 } } ${doubling(3).replaceAll('x', 'id')}`);
    const refusals = (maxFields: number) =>
      checkLimits(schema, document, getOperationAST(document)!, {}, { ...DEFAULT_LIMITS, maxFields });
    expect(refusals(17)).toEqual([]);
    expect(refusals(16)).toMatchObject([{ extensions: { limit: 'number of fields', maximum: 16 } }]);
  });
});

describe('the weight of a document', () => {
  it('counts a fragment wherever it is spread, also in other fragments', () => {
    const apart = weightOf(parse('{ a { x y } b { x y } }'));
    const spread = weightOf(parse('{ a { ...F } b { ...F } } fragment F on T { x y }'));
    // Both are compiled to six fields; the texts differ in length.
    expect(Math.abs(spread - apart)).toBeLessThan(weightOf(parse('{ x }')));
    expect(weightOf(parse(`{ a { ...F0 } } ${doubling(30)}`))).toBeGreaterThan(
      2 ** 30 * weightOf(parse('{ x }')) * 0.5,
    );
  });

  it('keeps no document that would push out many others', () => {
    const kept = new KeptDocuments<string>();
    const large = parse(`{ ${'x '.repeat(10_000)} }`);
    const small = parse('{ x }');
    kept.set('small', 'small', small);
    kept.set('large', 'large', large);
    expect([kept.get('small'), kept.get('large')]).toEqual(['small', undefined]);
  });
});

describe('a document cache', () => {
  it('finds the same text again in another document, by operation name, and forgets what it is told to', () => {
    const cache = new DocumentCache<object>(2);
    const [a, b] = [parse('{ a }'), parse('{ a }')];
    const made = cache.get(a, undefined, () => ({}));
    expect(cache.get(b, undefined, () => ({}))).toBe(made);
    expect(cache.get(b, 'Other', () => ({}))).not.toBe(made);
    cache.delete(a, undefined);
    expect(cache.get(a, undefined, () => ({}))).not.toBe(made);
  });
});

describe('merging', () => {
  const merge = createMerge((name) => name === 'Book');

  it('changes nothing when the same answer comes twice, and does not touch the answer', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (answer) => {
        const before = JSON.stringify(answer);
        const target = merge(copyJson(answer) as Record<string, unknown>, answer as Record<string, unknown>);
        expect(JSON.stringify(target)).toBe(before);
        expect(JSON.stringify(answer)).toBe(before);
      }),
      { seed: 2 },
    );
  });

  it('keeps values from nulls and a concrete type from its interface', () => {
    const target = { __typename: 'Book', a: 1, list: [{ x: 1 }, null], b: null };
    merge(target, { __typename: 'Item', a: null, list: [{ y: 2 }, { z: 3 }], b: 2 });
    expect(target).toEqual({ __typename: 'Book', a: 1, list: [{ x: 1, y: 2 }, { z: 3 }], b: 2 });
    expect(merge({ __typename: 'Item' }, { __typename: 'Book' })).toEqual({ __typename: 'Book' });
  });

  it('does not follow __proto__', () => {
    merge({}, JSON.parse('{ "__proto__": { "polluted": 1 }, "a": { "__proto__": { "polluted": 1 } } }'));
    copyJson(JSON.parse('{ "__proto__": { "polluted": 1 } }'));
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('the document that is planned', () => {
  const sdl = `directive @join__field(graph: G) repeatable on FIELD_DEFINITION
    directive @join__type(graph: G, key: String, isInterfaceObject: Boolean) repeatable on OBJECT | INTERFACE
    enum G { A B }
    type Query { item: Item book: Book }
    type Mutation { a: Book b: Book }
    interface Item @join__type(graph: B, key: "id", isInterfaceObject: true) { id: ID title: String }
    type Book implements Item { id: ID title: String stock: Int @join__field(graph: B) price: Int @join__field(graph: B) }`;
  const schema = buildSchema(sdl);
  const keys = new ClientKeys(schema);
  const rewritten = (source: string) => new PlannerDocuments(schema, sdl, keys).rewrite(parse(source));
  const planned = (source: string) => print(rewritten(source).document).replace(/\s+/g, ' ');

  it.each([
    ['an alias that is a field name', '{ book { id: title } }', '{ book { _client_id: title } }'],
    ['an alias that looks like one of the planner', '{ book { _x: title } }', '{ book { _client__x: title } }'],
    ['an alias that says nothing', '{ book { id: id id } }', '{ book { id } }'],
    ['an aliased __typename', '{ book { t: __typename } }', '{ book { __typename } }'],
    [
      'what a literal excludes',
      '{ book { id title @skip(if: true) ... @include(if: false) { title } } }',
      '{ book { id } }',
    ],
    ['a selection of which nothing remains', '{ book @skip(if: true) { id } }', '{ __typename }'],
    [
      'a fragment that repeats its type',
      'query($v: Boolean!) { book { ... on Book @skip(if: $v) { id title @include(if: $v) } } }',
      'query ($v: Boolean!) { book { id @skip(if: $v) } }',
    ],
    [
      'a field under several conditions',
      'query($v: Boolean!, $w: Boolean!) { item { ... on Book @skip(if: $v) { title @include(if: $w) @skip(if: false) } } }',
      'query ($v: Boolean!, $w: Boolean!, $wanted_0: Boolean!) { item { id ... on Book { title @include(if: $wanted_0) } } }',
    ],
    [
      'a field at several places with conditions',
      'query($v: Boolean!, $w: Boolean!) { book { id @skip(if: $v) id @include(if: $w) } }',
      'query ($v: Boolean!, $w: Boolean!, $wanted_0: Boolean!) { book { id @include(if: $wanted_0) } }',
    ],
    [
      'a field at several places, one of them without a condition',
      'query($v: Boolean!) { book { id @skip(if: $v) id } }',
      'query ($v: Boolean!) { book { id } }',
    ],
    [
      'an object at several places with conditions',
      'query($v: Boolean!, $wanted_0: Boolean!) { book @include(if: $v) { id @skip(if: $wanted_0) } book @include(if: $wanted_0) { title } }',
      'query ($v: Boolean!, $wanted_0: Boolean!, $wanted_0_: Boolean!, $wanted_1: Boolean!) { book @include(if: $wanted_0_) { id @include(if: $wanted_1) title @include(if: $wanted_0) } }',
    ],
    [
      'fields of two subgraphs under one condition',
      'query($v: Boolean!) { book { id @skip(if: $v) stock @skip(if: $v) price @skip(if: $v) title @skip(if: $v) } }',
      `query ($v: Boolean!, $wanted_0: Boolean!) { book { id @skip(if: $v) stock @include(if: $wanted_0)
        price @include(if: $wanted_0) title @skip(if: $v) } }`.replace(/\s+/g, ' '),
    ],
    [
      'an interface with interface objects',
      '{ item { ... on Book { title } } }',
      '{ item { id ... on Book { title } } }',
    ],
    [
      'fragments at the root of a mutation',
      'mutation { ...F } fragment F on Mutation { a { id } }',
      'mutation { a { id } } fragment F on Mutation { a { id } }',
    ],
  ])('rewrites %s', (_, source, expected) => {
    expect(planned(source)).toBe(expected);
  });

  it.each([true, false].flatMap((v) => [true, false].map((w) => ({ v, w }))))(
    'computes its own variables of %s',
    ({ v, w }) => {
      const source = `query($v: Boolean!, $w: Boolean!) {
        book @include(if: $v) { id @skip(if: $w) }
        book @include(if: $w) { title ... on Book @skip(if: $v) { title id @include(if: $v) } }
      }`;
      expect(rewritten(source).variables({ v, w, other: 1 })).toEqual({
        v,
        w,
        other: 1,
        wanted_0: v || w,
        wanted_1: v && !w,
        wanted_2: w && !v,
        wanted_3: w || (w && !v),
      });
    },
  );

  it('can have its paths read back', () => {
    expect(toClientPath(['book', 1, '_client_id', '_client__x'])).toEqual(['book', 1, 'id', '_x']);
  });
});

describe('a mutation in parts', () => {
  it('has one part for each response key, in order', () => {
    const parts = splitMutation(parse('mutation M { a { id } b { id } a { title } }'), 'M');
    expect(parts?.map((part) => print(part).replace(/\s+/g, ' '))).toEqual([
      'mutation M { a { id } a { title } }',
      'mutation M { b { id } }',
    ]);
    for (const single of ['mutation { a { id } }', '{ a b }', 'mutation { ...F } fragment F on Mutation { a b }']) {
      expect(splitMutation(parse(single), undefined)).toBeNull();
    }
  });

  it('stops where a null reaches the root, and keeps what went wrong before', async () => {
    const parts = splitMutation(parse('mutation { a b c }'), undefined) ?? [];
    const ran: string[] = [];
    const result = await runSerially(parts, (part) => {
      const key = print(part).replace(/\W|mutation/g, '');
      ran.push(key);
      return key === 'b' ? { data: null } : { data: { [key]: 1 } };
    });
    expect(ran).toEqual(['a', 'b']);
    expect(result.data).toBeNull();
  });
});
