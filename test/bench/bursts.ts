import type { ServerProcess } from './processes.ts';
import { median, quantile } from './statistics.ts';

/** What a burst of requests came to. Times in milliseconds. */
export interface LoadResult {
  readonly perSecond: number;
  readonly answered: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Burst extends LoadResult {
  /** Processor time of the server for a request, in milliseconds. */
  readonly processorMs: number;
}

export const resultOf = (latencies: readonly number[], seconds: number): LoadResult => ({
  perSecond: latencies.length / seconds,
  answered: latencies.length,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
});

/** A burst, with the processor time that the server took for it. */
export async function onServer(server: ServerProcess, burst: () => Promise<LoadResult>): Promise<Burst> {
  const before = server.processor();
  const result = await burst();
  return { ...result, processorMs: (server.processor() - before) / result.answered };
}

/** The medians of several bursts. */
export const middle = (list: readonly Burst[]): Burst => ({
  perSecond: median(list.map((r) => r.perSecond)),
  answered: list.reduce((sum, r) => sum + r.answered, 0),
  p50: median(list.map((r) => r.p50)),
  p99: median(list.map((r) => r.p99)),
  processorMs: median(list.map((r) => r.processorMs)),
});

/** Measures each in every round; who goes first changes, so that a machine that slows down favours nobody. */
export async function inTurns<K extends string, T>(
  names: readonly K[],
  rounds: number,
  measure: (name: K, round: number) => Promise<T>,
): Promise<Record<K, T[]>> {
  const results = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<K, T[]>;
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const name of order) results[name].push(await measure(name, round));
  }
  return results;
}

/** A figure of each round, as the median and its range. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

export const spreadOf = (list: readonly number[]): Spread => ({
  median: median(list),
  lowest: Math.min(...list),
  highest: Math.max(...list),
});

/** Requests a second of one in relation to another's in the same round. */
export const ratioOf = (ours: readonly LoadResult[], theirs: readonly LoadResult[]): Spread =>
  spreadOf(ours.map((r, i) => r.perSecond / theirs[i]!.perSecond));

export const shownRange = ({ lowest, highest }: Spread): string => `${lowest.toFixed(2)} to ${highest.toFixed(2)}`;
