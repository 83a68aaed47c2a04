import { printable } from './io.ts';

/** Columns as wide as their widest value; the last one as it is. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, ...rows.map((row) => row.map(printable))];
  const widths = titles.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One field a line; lists one item a line; what is empty is left out. */
export function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(fields).filter(
    ([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  return shown
    .map(([name, value]) => {
      const items = Array.isArray(value) ? value : [value];
      return items.map((item, i) => `${(i === 0 ? name : '').padEnd(width)}${printable(String(item))}`).join('\n');
    })
    .join('\n');
}
