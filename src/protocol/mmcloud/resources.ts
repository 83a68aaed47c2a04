import { invalid } from '../../errors.ts';
import type { Range } from './op-center.ts';

/** A fraction: amounts are rounded exactly, as a core too few is a job that does not start. */
interface Amount {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const GIB = 1n << 30n;

/** What a suffix of Kubernetes multiplies with. */
const SUFFIXES: Readonly<Record<string, Amount>> = {
  n: { numerator: 1n, denominator: 10n ** 9n },
  u: { numerator: 1n, denominator: 10n ** 6n },
  m: { numerator: 1n, denominator: 1000n },
  ...Object.fromEntries(
    [...'KMGTPE'].flatMap((letter, i) => [
      [`${letter}i`, { numerator: 1n << BigInt(10 * (i + 1)), denominator: 1n }],
      [letter === 'K' ? 'k' : letter, { numerator: 1000n ** BigInt(i + 1), denominator: 1n }],
    ]),
  ),
};

const QUANTITY = /^(\d{1,20})(?:\.(\d{1,30}))?(?:[eE]([+-]?\d{1,2}))?([a-zA-Z]{0,2})$/;

/** @param unit what a bare number counts */
function amountOf(value: string, unit: bigint): Amount | undefined {
  const [, whole, fraction = '', exponent = '0', suffix = ''] = QUANTITY.exec(value) ?? [];
  if (whole === undefined) return undefined;
  const factor = suffix === '' ? { numerator: unit, denominator: 1n } : SUFFIXES[suffix];
  if (factor === undefined) return undefined;
  const power = Number(exponent);
  return {
    numerator: BigInt(whole + fraction) * factor.numerator * 10n ** BigInt(Math.max(0, power)),
    denominator: 10n ** BigInt(fraction.length) * factor.denominator * 10n ** BigInt(Math.max(0, -power)),
  };
}

const divideUp = (numerator: bigint, denominator: bigint): bigint => (numerator + denominator - 1n) / denominator;
const atLeast = (floor: bigint, amount: bigint): bigint => (amount > floor ? amount : floor);

/** How each resource is counted: compared in whole base units (cores, bytes), submitted in units of `step` of them. */
const KINDS = { cpu: { step: 1n }, mem: { step: GIB } } as const;

function baseUnits(value: unknown, step: bigint, field: string): bigint | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  const amount =
    typeof value === 'string' || typeof value === 'number' ? amountOf(String(value).trim(), step) : undefined;
  if (amount === undefined) throw invalid(field, 'must be a quantity such as 2, "1.5", "500m" or "4Gi", or null.');
  return atLeast(step, divideUp(amount.numerator, amount.denominator));
}

/**
 * Cores or memory for a job, rounded up so that the demand is met, and at least 1. Only a minimum: no maximum. Only a
 * maximum: it is the minimum too. Neither: 1. A bare number counts cores or GiB; a suffix is Kubernetes' ("500m", "4Gi").
 *
 * @throws RollcallError INVALID_INPUT for what is no quantity, and for a minimum above the maximum
 */
export function rangeOf(kind: keyof typeof KINDS, min: unknown, max: unknown, field: string): Range {
  const { step } = KINDS[kind];
  const most = baseUnits(max, step, field);
  const least = baseUnits(min, step, field) ?? most ?? step;
  if (most !== undefined && least > most) {
    throw invalid(field, `${kind} request cannot be greater than ${kind} limit`);
  }
  return { min: divideUp(least, step), max: most === undefined ? undefined : divideUp(most, step) };
}
