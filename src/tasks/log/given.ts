/** The n-th value of a part of a statement, counted from 1, as the statement names it. */
export type Placeholder = (n: number) => string;

/** A column of the rows that a part of a statement is given: its name and type in SQL, and where its value comes from. */
export type Column<Row> = readonly [name: string, type: string, of: (row: Row) => unknown];

/**
 * A query for rows that come as values of the statement; {@link givenValues} has them. One row comes as plain values,
 * which the planner folds into what uses them: unpacking arrays and joining what comes out of them takes the database
 * longer than to insert the row.
 *
 * @param count how many rows; only whether it is one makes a difference to the text
 */
export function givenSql<Row>(columns: readonly Column<Row>[], $: Placeholder, count: number): string {
  if (count === 1) return `select ${columns.map(([name, type], i) => `${$(i + 1)}::${type} as ${name}`).join(', ')}`;
  const lists = columns.map(([, type], i) => `${$(i + 1)}::${type}[]`);
  return `select * from unnest(${lists.join(', ')}) as given(${columns.map(([name]) => name).join(', ')})`;
}

/** The values of {@link givenSql}, one for each column. */
export const givenValues = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): unknown[] =>
  columns.map(([, , of]) => (rows.length === 1 ? of(rows[0]!) : rows.map(of)));
