import { p } from '@mikro-orm/core';

/** Text that is sorted and paged by: byte order, so that the keyset order of every database and locale is the same. */
export const sortedText = () => p.text().columnType('text').collation('C');

/** `text[]`, never null: what is missing is an empty list. */
export const textList = () => p.array().columnType('text[]').defaultRaw(`'{}'`);

/** A moment in UTC, to the microsecond as the database keeps it. */
export const moment = () => p.datetime().columnType('timestamptz(6)');

/** `bigint` read as a JavaScript number: counters here stay far below 2^53. */
export const counter = () => p.bigint('number').default(0);
