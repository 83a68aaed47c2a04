import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';
import { readTextArray } from '../../src/database/text-array.ts';

const slow = pg.types.getTypeParser(1009 as never, 'text') as (text: string) => unknown;

/** As PostgreSQL's array_out writes an element: in quotes when it is empty, NULL, or has a character of the syntax. */
const written = (value: string | null): string => {
  if (value === null) return 'NULL';
  if (value !== '' && !/^null$/i.test(value) && !/[\s"\\{},]/.test(value)) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
};
const arrayText = (list: readonly (string | null)[]): string => `{${list.map(written).join(',')}}`;

test('any list of texts is read as it was written', () => {
  const element = fc.oneof(
    fc.string(),
    fc.constantFrom('text/plain', 'NULL', 'null', '', ' ', 'a,b', '{x}', '"', '\\', 'nullable', 'ümlaut'),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(element), (list) => {
      expect(readTextArray(arrayText(list), slow)).toEqual(list);
    }),
  );
});

test('lists without quotes do not need the slow reader; all others get to it', () => {
  const never = () => {
    throw new Error('slow');
  };
  expect(readTextArray('{}', never)).toEqual([]);
  expect(readTextArray('{text/plain,application/json}', never)).toEqual(['text/plain', 'application/json']);
  for (const text of ['{"a b"}', '{NULL}', '{{a,b},{c,d}}', '[0:1]={a,b}'])
    expect(() => readTextArray(text, never)).toThrow('slow');
});
