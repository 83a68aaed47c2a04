import type { FlyteAgentRow, FlyteSource } from '../../../src/flyte/source.ts';

/** A source whose rows a test sets, and which fails or hangs when told to. */
export class RowSource implements FlyteSource {
  rows: readonly FlyteAgentRow[];
  /** What a read does; replaced by tests. */
  read: () => Promise<readonly FlyteAgentRow[]> = async () => this.rows;
  reads = 0;
  readonly listeners = new Set<() => void>();

  constructor(rows: readonly FlyteAgentRow[]) {
    this.rows = rows;
  }

  list(): Promise<readonly FlyteAgentRow[]> {
    this.reads += 1;
    return this.read();
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  announce(): void {
    for (const listener of this.listeners) listener();
  }

  change(rows: readonly FlyteAgentRow[]): void {
    this.rows = rows;
    this.announce();
  }
}

export const row = (name: string, isSync: boolean, ...categories: (readonly [string, number])[]): FlyteAgentRow => ({
  name,
  isSync,
  categories: categories.map(([category, version]) => ({ name: category, version })),
});

/** Agents as Flyte's own plugins name them. */
export const ROWS: readonly FlyteAgentRow[] = [
  row('ChatGPT Agent', true, ['chatgpt', 0]),
  row('Spark Agent', false, ['spark', 1], ['spark', 0]),
  row('Bigquery Agent', false, ['bigquery_query_job_task', 0]),
  row('Boto Agent', true, ['boto', 0], ['spark', 2]),
];
