import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangeOf } from '../../../src/protocol/mmcloud/resources.ts';

const range = (kind: 'cpu' | 'mem', min: unknown, max: unknown): string => {
  const { min: least, max: most } = rangeOf(kind, min, max, 'resources');
  return most === undefined ? `${least}` : `${least}:${most}`;
};

describe('rangeOf', () => {
  it.each([
    ['cpu', '2', '4', '2:4'],
    ['mem', '4', null, '4'],
    ['cpu', null, 3, '3:3'],
    ['mem', null, '8', '8:8'],
    ['cpu', null, null, '1'],
    ['mem', undefined, undefined, '1'],
    ['mem', '', '', '1'],
    ['cpu', 0, null, '1'],
    ['cpu', '0.5', null, '1'],
    ['cpu', '500m', '1500m', '1:2'],
    ['cpu', '1.0000000000000000001', null, '2'],
    ['cpu', 2, 2, '2:2'],
    ['mem', '1.2', '1.5', '2:2'],
    ['mem', '512Mi', null, '1'],
    ['mem', '1025Mi', '3Gi', '2:3'],
    ['mem', '1G', null, '1'],
    ['mem', '2G', null, '2'],
    ['mem', '1073741825k', null, '1001'],
    ['mem', '1e1', null, '10'],
    ['mem', 1e21, null, undefined],
    ['cpu', '1k', null, '1000'],
  ] as const)('%s of %j to %j is %s', (kind, min, max, expected) => {
    if (expected === undefined) expect(range(kind, min, max)).toBe('1000000000000000000000');
    else expect(range(kind, min, max)).toBe(expected);
  });

  it.each(['cpu', 'mem'] as const)('refuses more %s than the limit', (kind) => {
    expect(() => rangeOf(kind, 3, 2, 'resources')).toThrow(`${kind} request cannot be greater than ${kind} limit`);
  });

  it.each([
    '-1',
    'many',
    '1 2',
    '1.',
    '.5',
    '1ki',
    '1KiB',
    '0x10',
    Number.NaN,
    -2,
    Number.POSITIVE_INFINITY,
    true,
    {},
    [],
  ])('refuses %j', (value) => {
    expect(() => rangeOf('cpu', value, null, 'resources')).toThrow('resources: must be a quantity');
  });

  const thousandths = fc.integer({ min: 0, max: 10_000_000 });

  it('asks for enough and for less than one more, for any amount', () => {
    fc.assert(
      fc.property(fc.constantFrom('cpu' as const, 'mem' as const), thousandths, (kind, milli) => {
        const { min, max } = rangeOf(
          kind,
          `${Math.floor(milli / 1000)}.${String(milli % 1000).padStart(3, '0')}`,
          null,
          'r',
        );
        expect(max).toBeUndefined();
        expect(Number(min)).toBe(Math.max(1, Math.ceil(milli / 1000)));
      }),
    );
  });

  it('reads a quantity the same in every way to write it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1 << 20 }), (mebibytes) => {
        const expected = range('mem', `${mebibytes}Mi`, null);
        expect(range('mem', `${mebibytes * 1024}Ki`, null)).toBe(expected);
        expect(range('mem', mebibytes / 1024, null)).toBe(expected);
        expect(Number(expected)).toBe(Math.max(1, Math.ceil(mebibytes / 1024)));
      }),
    );
  });

  it('is a range whenever it is not refused, and a limit alone is both ends', () => {
    fc.assert(
      fc.property(fc.constantFrom('cpu' as const, 'mem' as const), thousandths, thousandths, (kind, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map((milli) => String(milli / 1000));
        const { min, max } = rangeOf(kind, low, high, 'r');
        expect(min <= max!).toBe(true);
        const alone = rangeOf(kind, null, high, 'r');
        expect(alone.min).toBe(alone.max);
        expect(alone.max).toBe(max);
      }),
    );
  });
});
