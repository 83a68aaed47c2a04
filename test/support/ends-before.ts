import { setTimeout as delay } from 'node:timers/promises';

/**
 * Whether work that has just begun ends before a timer of that many milliseconds. The order of the two tells it, and not a
 * clock: a busy machine holds up both. Rejects as the work does.
 */
export const endsBefore = (ms: number, work: Promise<unknown>): Promise<boolean> =>
  Promise.race([work.then(() => true), delay(ms, false)]);
