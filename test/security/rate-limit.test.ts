import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressKey } from '../../src/http/address.ts';
import { RateLimit } from '../../src/http/rate-limit.ts';

describe('the rate limit', () => {
  test('gives a burst of a minute, then what flows back', () => {
    let now = 0;
    const limit = new RateLimit(60, { now: () => now });
    for (let i = 0; i < 60; i++) expect(limit.take('a')).toMatchObject({ allowed: true, remaining: 59 - i });
    expect(limit.take('a')).toEqual({ allowed: false, remaining: 0, retryAfterSeconds: 1, resetSeconds: 60 });
    expect(limit.take('b').allowed).toBe(true);
    now = 999;
    expect(limit.take('a').allowed).toBe(false);
    now = 1_000;
    expect(limit.take('a').allowed).toBe(true);
    limit.spend('a', 10);
    expect(limit.take('a')).toMatchObject({ allowed: false, retryAfterSeconds: 11 });
  });

  test('never allows more than the burst and what flowed back, and says when it will allow again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 }),
        (perMinute, pauses) => {
          let now = 0;
          let allowed = 0;
          const limit = new RateLimit(perMinute, { now: () => now });
          for (const pause of pauses) {
            now += pause;
            const standing = limit.take('x');
            if (standing.allowed) allowed++;
            else {
              now += standing.retryAfterSeconds * 1_000;
              expect(limit.take('x').allowed).toBe(true);
              allowed++;
            }
          }
          expect(allowed).toBeLessThanOrEqual(perMinute + Math.ceil((now * perMinute) / 60_000) + 1);
        },
      ),
    );
  });

  test('remembers a bounded number of callers', () => {
    const limit = new RateLimit(10, { most: 100 });
    for (let i = 0; i < 1_000; i++) limit.take(`caller ${i}`);
    expect(limit.size).toBe(100);
  });

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s counts as %s', (address, key) => expect(addressKey(address)).toBe(key));
});
