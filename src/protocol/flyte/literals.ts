import { invalid } from '../../errors.ts';
import type { Literal, LiteralMap, Primitive, Scalar } from './generated/flyteidl/core/literals.ts';

/** A value of Flyte's as plain JavaScript: whole numbers are bigints, other numbers are floats. */
export type PlainValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Buffer
  | null
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

const NANOSECONDS = 1e9;

function ofPrimitive({ value }: Primitive): PlainValue {
  if (value === undefined) return null;
  if (value.$case === 'duration') return Number(value.value.seconds) + value.value.nanos / NANOSECONDS;
  return value.value;
}

function ofScalar({ value }: Scalar, field: string): PlainValue {
  switch (value?.$case) {
    case 'primitive':
      return ofPrimitive(value.value);
    case 'generic':
      return (value.value ?? null) as PlainValue;
    case 'binary':
      return value.value.value;
    case 'blob':
    case 'schema':
    case 'structuredDataset':
      return value.value.uri;
    case 'union':
      return value.value.value === undefined ? null : ofLiteral(value.value.value, field);
    case 'error':
      throw invalid(field, 'is an error of another task');
    default:
      return null;
  }
}

function ofLiteral({ value }: Literal, field: string): PlainValue {
  switch (value?.$case) {
    case 'scalar':
      return ofScalar(value.value, field);
    case 'collection':
      return value.value.literals.map((item, i) => ofLiteral(item, `${field}[${i}]`));
    case 'map':
      return fromLiterals(value.value, field);
    case 'offloadedMetadata':
      throw invalid(field, `is not in the message: it lies at ${value.value.uri}`);
    default:
      return null;
  }
}

/**
 * Flyte's named values as plain ones. Files, directories and tables are their URIs, durations are seconds, a union is
 * its value.
 *
 * @throws RollcallError INVALID_INPUT for a value that is not in the message.
 */
export function fromLiterals(map: LiteralMap | undefined, field = 'inputs'): Record<string, PlainValue> {
  return Object.fromEntries(
    Object.entries(map?.literals ?? {}).map(([name, literal]) => [name, ofLiteral(literal, `${field}.${name}`)]),
  );
}

const literal = (value: NonNullable<Literal['value']>): Literal => ({ value, hash: '', metadata: {} });
const scalar = (value: NonNullable<Scalar['value']>): Literal => literal({ $case: 'scalar', value: { value } });
const primitive = (value: NonNullable<Primitive['value']>): Literal => scalar({ $case: 'primitive', value: { value } });

function toLiteral(value: PlainValue): Literal {
  if (value === null) return scalar({ $case: 'noneType', value: {} });
  if (typeof value === 'string') return primitive({ $case: 'stringValue', value });
  if (typeof value === 'bigint') return primitive({ $case: 'integer', value });
  if (typeof value === 'number') return primitive({ $case: 'floatValue', value });
  if (typeof value === 'boolean') return primitive({ $case: 'boolean', value });
  if (value instanceof Date) return primitive({ $case: 'datetime', value });
  if (Buffer.isBuffer(value)) return scalar({ $case: 'binary', value: { value, tag: '' } });
  if (Array.isArray(value))
    return literal({ $case: 'collection', value: { literals: value.map((item: PlainValue) => toLiteral(item)) } });
  return literal({ $case: 'map', value: toLiterals(value as Readonly<Record<string, PlainValue>>) });
}

/** Plain values as Flyte's: the outputs of a task. Objects become maps of values. */
export const toLiterals = (values: Readonly<Record<string, PlainValue>>): LiteralMap => ({
  literals: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toLiteral(value)])),
});
