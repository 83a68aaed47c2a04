import type { Part } from '../../../protocol/a2a/model.ts';
import type { LiteralMap } from '../../../protocol/flyte/generated/flyteidl/core/literals.ts';
import { fromLiterals, type PlainValue } from '../../../protocol/flyte/literals.ts';

/** A plain value as JSON has it: what JSON lacks is text. */
function jsonOf(value: PlainValue): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (Array.isArray(value)) return value.map((each: PlainValue) => jsonOf(each));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, jsonOf(each as PlainValue)]));
  }
  return value;
}

/**
 * What an agent is told of a task: a single text input as text, anything else as data, by the inputs' names.
 *
 * @throws RollcallError INVALID_INPUT for an input that is not in the message
 */
export function partsOf(inputs: LiteralMap | undefined): readonly Part[] {
  const values = fromLiterals(inputs);
  const [first, ...others] = Object.values(values);
  if (typeof first === 'string' && others.length === 0) return [{ text: first }];
  return [{ data: jsonOf(values) }];
}
