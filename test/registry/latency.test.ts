import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACCURACY, bucketOf, count, merge, percentile, total } from '../../src/registry/latency.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Times as they are measured, from a millisecond to a day; short ones more often. */
const times = fc.array(
  fc.double({ min: 0, max: Math.log(DAY_MS), noNaN: true }).map((power) => Math.exp(power)),
  { minLength: 1, maxLength: 400 },
);
const percents = fc.constantFrom(1, 50, 90, 95, 99, 100);

const histogramOf = (of: readonly number[]): number[] => {
  const histogram: number[] = [];
  for (const ms of of) count(histogram, ms);
  return histogram;
};
const nearestRank = (of: readonly number[], percent: number): number =>
  of.toSorted((a, b) => a - b)[Math.max(1, Math.ceil((of.length * percent) / 100)) - 1]!;

describe('a histogram of latencies', () => {
  test('gives every percentile to within its accuracy', () => {
    fc.assert(
      fc.property(times, percents, (of, percent) => {
        const exact = nearestRank(of, percent);
        const read = percentile(histogramOf(of), percent)!;
        expect(Math.abs(read - exact) / exact).toBeLessThanOrEqual(ACCURACY + 1e-9);
      }),
      { numRuns: 1_000 },
    );
  });

  test('merged from parts, is the one of the whole', () => {
    fc.assert(
      fc.property(fc.array(times, { maxLength: 5 }), (parts) => {
        const merged: number[] = [];
        for (const part of parts) merge(merged, histogramOf(part));
        expect(merged).toEqual(histogramOf(parts.flat()));
        expect(total(merged)).toBe(parts.flat().length);
      }),
    );
  });

  test('stays small, whatever is counted', () => {
    const histogram = histogramOf([Number.NaN, -5, 0, 0.2, 1, DAY_MS, DAY_MS * 1_000, Number.POSITIVE_INFINITY]);
    expect(histogram.length).toBeLessThanOrEqual(bucketOf(DAY_MS) + 1);
    expect(histogram.length).toBeLessThan(400);
    expect(total(histogram)).toBe(8);
    expect(percentile(histogram, 50)).toBe(1);
    expect(percentile(histogram, 99)! / DAY_MS).toBeCloseTo(1, 1);
  });

  test('of nothing has no percentiles', () => {
    expect(percentile([], 50)).toBeUndefined();
    expect(percentile([0, 0], 50)).toBeUndefined();
  });
});
