/** Collects the values of one statement: `add` answers the placeholder to put into its text. */
export class Values {
  readonly list: unknown[] = [];

  add(value: unknown): string {
    this.list.push(value);
    return `$${this.list.length}`;
  }
}

/**
 * A timestamptz column as a Date: the drivers hand it over as text in UTC (`2026-01-31 10:20:30.123456+00`), as that
 * keeps the microseconds that cursors need.
 */
export function toDate(text: string | Date): Date {
  if (text instanceof Date) return text;
  return new Date(`${text.slice(0, 10)}T${text.slice(11).replace(/\+00(:00)?$/, '')}Z`);
}

/** As {@link toDate}; null stays null, and so does -infinity, which stands for "never". */
export const toDateOrNull = (text: string | Date | number | null): Date | null =>
  text === null || typeof text === 'number' || text === '-infinity' ? null : toDate(text);
