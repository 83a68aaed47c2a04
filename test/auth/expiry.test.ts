import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { atExpiry } from '../../src/auth/expiry.ts';
import { LOCAL_USER } from '../../src/auth/principal.ts';

const DAY_MS = 24 * 3_600_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([1, 999, 1_000, 1_001, 59_999, 3_600_001, 40 * DAY_MS + 7])(
  'a token of %i ms is over then, and not before',
  async (lifetime) => {
    const ended = vi.fn();
    atExpiry({ ...LOCAL_USER, expiresAt: Date.now() + lifetime }, ended);
    await vi.advanceTimersByTimeAsync(lifetime - 1);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toHaveBeenCalledTimes(1);
  },
);

// Node keeps a list for each different delay until the delay has passed, of timers that were called off too.
test('timers of many tokens have few different delays', async () => {
  const timer = vi.spyOn(globalThis, 'setTimeout');
  const lifetimes = Array.from({ length: 20_000 }, (_, n) => Math.ceil(((n + 1) * DAY_MS) / 20_000));
  for (const lifetime of lifetimes) {
    const callOff = atExpiry({ ...LOCAL_USER, expiresAt: Date.now() + lifetime }, () => undefined);
    await vi.advanceTimersByTimeAsync(0);
    callOff();
  }
  expect(timer.mock.calls.length).toBeGreaterThan(lifetimes.length);
  expect(new Set(timer.mock.calls.map(([, delay]) => delay)).size).toBeLessThan(5_000);
});
