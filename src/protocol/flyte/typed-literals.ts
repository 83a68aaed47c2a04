import { RollcallError } from '../../errors.ts';
import type { Literal } from './generated/flyteidl/core/literals.ts';
import { type LiteralType, SimpleType } from './generated/flyteidl/core/types.ts';
import { type PlainValue, toLiterals } from './literals.ts';

const SIMPLE = {
  [SimpleType.INTEGER]: 'integer',
  [SimpleType.FLOAT]: 'float',
  [SimpleType.STRING]: 'string',
  [SimpleType.BOOLEAN]: 'boolean',
  [SimpleType.DATETIME]: 'datetime',
  [SimpleType.DURATION]: 'duration',
  [SimpleType.STRUCT]: 'struct',
} as const;

/** A type of Flyte's, as far as values of JSON can be of it. `any` takes them as they come. */
export type Shape = (typeof SIMPLE)[keyof typeof SIMPLE] | 'any' | { readonly list: Shape } | { readonly map: Shape };

/** The shape of a type; `any` for files, tables, unions and whatever else JSON does not have. */
export function shapeOf(declared: LiteralType | undefined): Shape {
  const type = declared?.type;
  switch (type?.$case) {
    case 'simple':
      return (SIMPLE as Readonly<Record<number, Shape>>)[type.value] ?? 'any';
    case 'enumType':
      return 'string';
    case 'collectionType':
      return { list: shapeOf(type.value) };
    case 'mapValueType':
      return { map: shapeOf(type.value) };
    default:
      return 'any';
  }
}

const WORDS: ReadonlySet<unknown> = new Set(['any', ...Object.values(SIMPLE)]);

/** Whether a value is a {@link Shape}: for shapes that come back from elsewhere. */
export function isShape(value: unknown, depth = 0): value is Shape {
  if (typeof value !== 'object' || value === null) return WORDS.has(value);
  const inner = 'list' in value ? value.list : 'map' in value ? value.map : undefined;
  return depth < 16 && isShape(inner, depth + 1);
}

const nameOf = (shape: Shape): string =>
  typeof shape === 'string' ? shape : 'list' in shape ? `list of ${nameOf(shape.list)}` : `map of ${nameOf(shape.map)}`;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Any value of JSON: whole numbers are integers, objects are maps. */
function plain(value: unknown): PlainValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  return (value ?? null) as PlainValue;
}

const scalar = (value: PlainValue): Literal => toLiterals({ value }).literals['value']!;

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

function integerOf(value: unknown): bigint | undefined {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined;
  const integer = BigInt(text.replace('+', ''));
  return integer < INT64.min || integer > INT64.max ? undefined : integer;
}

function floatOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const float = Number(value);
  return Number.isNaN(float) && value.trim() !== 'NaN' ? undefined : float;
}

const BOOLEANS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
]);

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

const found = <T>(value: T | undefined, literal: (value: T) => Literal): Literal | undefined =>
  value === undefined ? undefined : literal(value);

function dateOf(value: unknown): Date | undefined {
  const date = typeof value === 'string' ? new Date(value) : undefined;
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}

function durationOf(value: unknown): Literal | undefined {
  const seconds = floatOf(typeof value === 'string' ? value.replace(/s$/, '') : value);
  if (seconds === undefined || !Number.isFinite(seconds) || Math.abs(seconds) > 315_576_000_000) return undefined;
  const whole = Math.trunc(seconds);
  const duration = { seconds: BigInt(whole), nanos: Math.round((seconds - whole) * 1e9) };
  const primitive = { value: { $case: 'duration', value: duration } } as const;
  return {
    value: { $case: 'scalar', value: { value: { $case: 'primitive', value: primitive } } },
    hash: '',
    metadata: {},
  };
}

const structOf = (value: unknown): Literal | undefined => {
  const object = parsed(value);
  if (!isObject(object)) return undefined;
  const generic = { $case: 'generic', value: object } as const;
  return { value: { $case: 'scalar', value: { value: generic } }, hash: '', metadata: {} };
};

/** How a value becomes one of each simple shape; undefined where it cannot. */
const SIMPLE_LITERALS: Readonly<Record<Extract<Shape, string>, (value: unknown) => Literal | undefined>> = {
  any: (value) => scalar(plain(value)),
  string: (value) => scalar(typeof value === 'string' ? value : JSON.stringify(value ?? null)),
  integer: (value) => found(integerOf(value), scalar),
  float: (value) => found(floatOf(value), scalar),
  boolean: (value) => found(BOOLEANS.get(value), scalar),
  datetime: (value) => found(dateOf(value), scalar),
  duration: durationOf,
  struct: structOf,
};

/**
 * A value of JSON as a literal of that shape. Text is read as what is wanted: "7" is an integer, `[1, 2]` a list.
 *
 * @param field names the value in errors
 * @throws RollcallError UPSTREAM_INVALID when it cannot be one
 */
export function literalOf(value: unknown, shape: Shape, field: string): Literal {
  if (typeof shape === 'string') {
    const literal = SIMPLE_LITERALS[shape](value);
    if (literal !== undefined) return literal;
  } else {
    const content = parsed(value);
    if ('list' in shape && Array.isArray(content)) {
      const literals = content.map((each, i) => literalOf(each, shape.list, `${field}[${i}]`));
      return { value: { $case: 'collection', value: { literals } }, hash: '', metadata: {} };
    }
    if ('map' in shape && isObject(content)) {
      const entries = Object.entries(content).map(([key, each]) => [
        key,
        literalOf(each, shape.map, `${field}.${key}`),
      ]);
      return { value: { $case: 'map', value: { literals: Object.fromEntries(entries) } }, hash: '', metadata: {} };
    }
  }
  throw new RollcallError('UPSTREAM_INVALID', `${field}: what the agent gave cannot be read as ${nameOf(shape)}.`, {
    field,
  });
}
