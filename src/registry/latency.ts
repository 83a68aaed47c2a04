/**
 * How long calls took, as counts in buckets whose widths grow by one factor. A histogram has the same size after a
 * million calls, and two of them are merged by adding them up, so replicas count each on their own.
 *
 * Accuracy: a percentile that is read from it lies within {@link ACCURACY} of the true one (nearest rank), for times from
 * 1 ms to 24 h. Shorter ones count as 1 ms, longer ones as 24 h.
 */
export type Histogram = readonly number[];

/** Largest error of a percentile, as a share of it. */
export const ACCURACY = 0.025;

const SHORTEST_MS = 1;
const LONGEST_MS = 24 * 60 * 60 * 1_000;
/** With this factor, the middle of a bucket is never further than the accuracy from either of its ends. */
const GROWTH = (1 + ACCURACY) / (1 - ACCURACY);

/** The bucket of a time in milliseconds: 0 up to 1 ms, then `b` for more than GROWTH^(b-1) and up to GROWTH^b. */
export function bucketOf(ms: number): number {
  if (!(ms > SHORTEST_MS)) return 0;
  return Math.ceil(Math.log(Math.min(ms, LONGEST_MS)) / Math.log(GROWTH));
}

/** Counts one call, in place. The list is no longer than its last used bucket. */
export function count(histogram: number[], ms: number): void {
  const bucket = bucketOf(ms);
  while (histogram.length <= bucket) histogram.push(0);
  histogram[bucket]!++;
}

/** Adds the second to the first, in place. */
export function merge(into: number[], more: Histogram): void {
  while (into.length < more.length) into.push(0);
  for (const [bucket, calls] of more.entries()) into[bucket]! += calls;
}

/** Calls in it. */
export const total = (histogram: Histogram): number => histogram.reduce((sum, calls) => sum + calls, 0);

/** The time in milliseconds that `percent` of the calls stay within; undefined when there were none. */
export function percentile(histogram: Histogram, percent: number): number | undefined {
  const rank = Math.max(1, Math.ceil((total(histogram) * percent) / 100));
  let seen = 0;
  for (const [bucket, calls] of histogram.entries()) {
    seen += calls;
    if (seen >= rank) return bucket === 0 ? SHORTEST_MS : (2 * GROWTH ** bucket) / (GROWTH + 1);
  }
  return undefined;
}
