import { isUuid } from '../../database/ids.ts';
import { invalid } from '../../errors.ts';

/** One page of a list, in order; `next` is the cursor of the last item when more follow. */
export interface Page<T> {
  readonly items: readonly { readonly item: T; readonly cursor: string }[];
  readonly hasNextPage: boolean;
}

/** The largest page that may be asked for, and the one that is given unasked. */
export const MAX_PAGE = 200;
export const DEFAULT_PAGE = 20;

/**
 * A cursor is opaque to callers: base64url of [order, key values…]. The order is in it, so that a cursor of another
 * order is refused instead of answering a wrong page.
 */
export const encodeCursor = (order: string, keys: readonly string[]): string =>
  Buffer.from(JSON.stringify([order, ...keys])).toString('base64url');

/** Tells whether a text may be a key of a cursor: what the database would refuse must not reach it. */
export interface KeyShape {
  test(key: string): boolean;
}

export const TEXT_KEY: KeyShape = { test: (key) => !key.includes('\0') };
export const UUID_KEY: KeyShape = { test: isUuid };

const MOMENT = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)\+00$/;
/** A timestamptz as the drivers give it: in UTC, to the microsecond, or -infinity. */
export const MOMENT_KEY: KeyShape = {
  test(key) {
    if (key === '-infinity') return true;
    const [, day, time] = MOMENT.exec(key) ?? [];
    // Date takes the 31st of any month and counts on; the database refuses it.
    const moment = new Date(`${day}T${time}Z`);
    return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(day!) && !day!.startsWith('0000');
  },
};

/** A rank: a real that the database takes. */
export const RANK_KEY: KeyShape = {
  test: (key) => /^\d{1,20}(\.\d{1,20})?(e-?\d{1,2})?$/.test(key) && inReal(Math.fround(Number(key)), Number(key)),
};
const inReal = (real: number, number: number): boolean => Number.isFinite(real) && (real === 0) === (number === 0);

/**
 * The key values of a cursor.
 *
 * @param shapes one per key.
 * @throws RollcallError INVALID_INPUT for text that is no cursor, or one of another order.
 */
export function decodeCursor(cursor: string, order: string, shapes: readonly KeyShape[]): string[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    parts = undefined;
  }
  if (!Array.isArray(parts) || parts.length !== shapes.length + 1 || !parts.every((p) => typeof p === 'string')) {
    throw invalid('after', 'this is not a cursor of this list; take one from pageInfo.endCursor');
  }
  const [of, ...keys] = parts as string[];
  if (of !== order)
    throw invalid('after', `this cursor belongs to the order ${of}, not ${order}; start again without one`);
  if (!keys.every((key, i) => shapes[i]!.test(key)))
    throw invalid('after', 'this is not a cursor of this list; take one from pageInfo.endCursor');
  return keys;
}

/** @throws RollcallError INVALID_INPUT unless 0 < first ≤ 200. */
export function pageSize(first: number | undefined | null): number {
  const n = first ?? DEFAULT_PAGE;
  if (!Number.isInteger(n) || n < 1 || n > MAX_PAGE)
    throw invalid('first', `must be a whole number from 1 to ${MAX_PAGE}`);
  return n;
}

/** Cuts `size + 1` rows to a page: the extra row only tells that more follow. */
export function toPage<Row extends object, T>(
  rows: readonly Row[],
  size: number,
  item: (row: Row) => T,
  cursorOf: (row: Row) => string,
): Page<T> {
  const items = rows.slice(0, size).map((row) => ({ cursor: cursorOf(row), item: item(row) }));
  return { items, hasNextPage: rows.length > size };
}
