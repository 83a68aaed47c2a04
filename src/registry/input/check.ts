import { z } from 'zod';
import { invalid, RollcallError } from '../../errors.ts';

/** False for a text that PostgreSQL cannot hold. */
export const isStorable = (text: string): boolean => !text.includes('\0');

/** A text that is looked for, as it is. @throws RollcallError INVALID_INPUT for one that the database refuses to look at. */
export function storable(field: string, text: string): string {
  if (!isStorable(text)) throw invalid(field, 'contains a NUL character');
  return text;
}

/** How many problems of one input are told at once. */
const MOST_PROBLEMS = 20;

const pathOf = (root: string, path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`), root);

/**
 * Checks an input against its schema.
 *
 * @param root how the caller knows the input: the first part of the field's path in errors ("input").
 * @throws RollcallError INVALID_INPUT naming the first wrong field; `details.problems` lists {field, message} of all, 20 at most.
 */
export function check<S extends z.ZodType>(schema: S, value: unknown, root = 'input'): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, MOST_PROBLEMS).map((issue) => ({
    field: pathOf(root, issue.path),
    message:
      issue.code === 'unrecognized_keys'
        ? `unknown field ${issue.keys.map((k) => `"${k}"`).join(', ')}`
        : issue.message,
  }));
  const [first] = problems;
  throw new RollcallError('INVALID_INPUT', `${first!.field}: ${first!.message}`, {
    field: first!.field,
    details: { problems },
    cause: result.error,
  });
}
