import { ArrayType, p } from '@mikro-orm/core';

/** Text that is sorted and paged by: byte order, so that the keyset order of every database and locale is the same. */
export const sortedText = () => p.text().columnType('text').collation('C');

/**
 * Writes `text[]` as PostgreSQL reads it. The ORM's own type quotes as JSON does: a line break came back as the letter n,
 * the word NULL as a null, blanks at the ends not at all.
 */
class TextArray extends ArrayType<string> {
  override convertToDatabaseValue(value: string[] | null): string | null {
    if (value == null) return null;
    return `{${value.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
  }
}

/** `text[]`, never null: what is missing is an empty list. */
export const textList = () => p.array().type(TextArray).columnType('text[]').defaultRaw(`'{}'`);

/** A moment in UTC, to the microsecond as the database keeps it. */
export const moment = () => p.datetime().columnType('timestamptz(6)');

/** `bigint` read as a JavaScript number: counters here stay far below 2^53. */
export const counter = () => p.bigint('number').default(0);
