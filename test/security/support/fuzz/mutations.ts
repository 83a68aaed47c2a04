import fc from 'fast-check';

/** How a valid request becomes another one: changes of its bytes, or of its JSON. */
export type Mutation =
  | { readonly kind: 'bytes'; readonly edits: readonly Edit[] }
  | { readonly kind: 'json'; readonly at: number; readonly change: JsonChange };

interface Edit {
  readonly what: 'set' | 'flip' | 'insert' | 'delete' | 'repeat' | 'cut';
  /** Of the length, 0 to 1. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

type JsonChange =
  | { readonly what: 'replace'; readonly value: unknown }
  | { readonly what: 'remove' }
  | { readonly what: 'rename'; readonly name: string }
  | { readonly what: 'nest'; readonly depth: number };

/** Values that programs stumble over. */
const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e308,
  2 ** 31,
  2 ** 53 + 2,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e',
  '../../etc/passwd',
  "' or 1=1 --",
  '$(jndi)',
  'a'.repeat(70_000),
  [],
  [[]],
  [null],
  {},
  { __proto__: null },
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {}}}'),
  'NaN',
  '1e1000',
  '00000000-0000-0000-0000-000000000000',
  '0001-01-01T00:00:00Z',
  '+275760-09-13T00:00:00Z',
];

const edit: fc.Arbitrary<Edit> = fc.record({
  what: fc.constantFrom('set', 'flip', 'insert', 'delete', 'repeat', 'cut'),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.constantFrom(
      ...['{', '}', '"', '[', '\\u', '\r\n', '\u0000', '%00', '%', '..', ':', '-', '9'].map((t) => Buffer.from(t)),
    ),
  ),
});

const jsonChange: fc.Arbitrary<JsonChange> = fc.oneof(
  fc.record({
    what: fc.constant('replace' as const),
    value: fc.oneof(fc.constantFrom(...ODD), fc.jsonValue({ maxDepth: 3 })),
  }),
  fc.constant({ what: 'remove' as const }),
  fc.record({
    what: fc.constant('rename' as const),
    name: fc.oneof(fc.constantFrom('__proto__', 'id', 'kind', ''), fc.string()),
  }),
  fc.record({ what: fc.constant('nest' as const), depth: fc.constantFrom(1, 50, 1_000, 20_000) }),
);

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('bytes' as const), edits: fc.array(edit, { minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: fc.constant('json' as const), at: fc.nat(), change: jsonChange }),
);

function edited(bytes: Buffer, { what, at, bytes: given }: Edit): Buffer {
  const place = Math.floor(at * bytes.length);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (what) {
    case 'set':
      return Buffer.concat([before, given, after.subarray(given.length)]);
    case 'flip':
      return Buffer.concat([
        before,
        after.subarray(0, 1).map((byte) => byte ^ (1 << (given[0]! % 8))),
        after.subarray(1),
      ]);
    case 'insert':
      return Buffer.concat([before, given, after]);
    case 'delete':
      return Buffer.concat([before, after.subarray(given.length)]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, 20), after]);
    default:
      return Buffer.from(before);
  }
}

/** Nested arrays around the text of a value, which JSON.stringify would overflow on. */
const NEST = (depth: number): string => `@nest${depth}@`;

function changedJson(value: unknown, at: number, change: JsonChange): string {
  const places: { readonly holder: any; readonly key: string | number }[] = [];
  const root = { value: structuredClone(value) };
  const collect = (holder: any, key: string | number): void => {
    places.push({ holder, key });
    const inner = holder[key];
    if (Array.isArray(inner)) for (const index of inner.keys()) collect(inner, index);
    else if (typeof inner === 'object' && inner !== null) for (const name of Object.keys(inner)) collect(inner, name);
  };
  collect(root, 'value');
  const { holder, key } = places[at % places.length]!;
  if (change.what === 'replace') holder[key] = change.value;
  else if (change.what === 'nest') holder[key] = NEST(change.depth);
  else {
    const taken = holder[key];
    delete holder[key];
    if (change.what === 'rename') Object.defineProperty(holder, change.name, { value: taken, enumerable: true });
  }
  return (JSON.stringify(root.value) ?? '').replace(
    /"@nest(\d+)@"/,
    (_, depth) => '['.repeat(+depth) + ']'.repeat(+depth),
  );
}

/** The request, changed. JSON changes need JSON: of anything else the bytes are cut. */
export function mutate(valid: Buffer, how: Mutation): Buffer {
  if (how.kind === 'bytes') return how.edits.reduce(edited, valid);
  try {
    return Buffer.from(changedJson(JSON.parse(valid.toString()), how.at, how.change));
  } catch {
    return valid.subarray(0, how.at % (valid.length + 1));
  }
}
