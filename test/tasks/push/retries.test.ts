import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answer, judge, RETRIES, readRetryAfter } from '../../../src/tasks/push/retries.ts';

const answered = (status: number, retryAfterMs?: number): Answer => ({ status, retryAfterMs });

describe('what follows from an attempt', () => {
  test('every answer of 2xx is a delivery', () => {
    for (const status of [200, 201, 202, 204, 299]) {
      expect(judge(answered(status), 1, 0, RETRIES)).toEqual({ outcome: 'delivered' });
    }
  });

  test.each([400, 405, 413, 415, 422])('%i refuses the body: another attempt would be the same', (status) => {
    expect(judge(answered(status), 1, 0, RETRIES)).toMatchObject({ outcome: 'failed', gone: false });
  });

  test('410 ends the webhook', () => {
    expect(judge(answered(410), 1, 0, RETRIES)).toMatchObject({ outcome: 'failed', gone: true });
  });

  test.each([301, 401, 403, 404, 408, 409, 425, 429, 500, 502, 503, 504])('%i is tried again', (status) => {
    expect(judge(answered(status), 1, 0, RETRIES)).toMatchObject({ outcome: 'retrying' });
  });

  test('an end comes with the attempts, or with the age of the event', () => {
    const error: Answer = { error: 'It broke.' };
    expect(judge(error, RETRIES.attempts - 1, 0, RETRIES).outcome).toBe('retrying');
    expect(judge(error, RETRIES.attempts, 0, RETRIES)).toMatchObject({
      outcome: 'failed',
      error: `It broke. Given up after ${RETRIES.attempts} attempts.`,
      gone: false,
    });
    expect(judge(error, 1, RETRIES.maxAgeMs, RETRIES).outcome).toBe('failed');
  });

  test('pauses double up to the longest, spread over their upper half', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: RETRIES.attempts - 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const verdict = judge(answered(503), attempt, 0, RETRIES, random);
          const whole = Math.min(RETRIES.longestMs, RETRIES.firstMs * 2 ** (attempt - 1));
          expect(verdict.outcome).toBe('retrying');
          if (verdict.outcome !== 'retrying') return;
          expect(verdict.afterMs).toBeGreaterThanOrEqual(whole / 2);
          expect(verdict.afterMs).toBeLessThanOrEqual(whole);
        },
      ),
    );
  });

  test('a receiver may ask for a longer pause, within bounds, and not for a shorter one', () => {
    const after = (asked: number) => {
      const verdict = judge(answered(429, asked), 1, 0, RETRIES, 1);
      return verdict.outcome === 'retrying' ? verdict.afterMs : undefined;
    };
    expect(after(0)).toBe(1_000);
    expect(after(90_000)).toBe(90_000);
    expect(after(10 * 24 * 60 * 60_000)).toBe(RETRIES.longestAskedMs);
  });
});

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2026-01-31T10:00:00Z');
  expect(readRetryAfter('7', now)).toBe(7_000);
  expect(readRetryAfter('Sat, 31 Jan 2026 10:01:00 GMT', now)).toBe(60_000);
  expect(readRetryAfter('Sat, 31 Jan 2026 09:00:00 GMT', now)).toBe(0);
  for (const nothing of [undefined, '', 'soon', '-5x']) expect(readRetryAfter(nothing, now)).toBeUndefined();
});
