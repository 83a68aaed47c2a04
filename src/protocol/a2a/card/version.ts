import type { CardDialect } from './model.ts';

function majorMinor(version: string): readonly [number, number] | undefined {
  const match = /^v?(\d{1,6})(?:\.(\d{1,6}))?(?![\d])/.exec(version.trim());
  return match ? [Number(match[1]), Number(match[2] ?? 0)] : undefined;
}

/** `1.0.1` → `1.0`: patches never matter (1.0 spec §3.6.1). What is no version stays as it is. */
export function withoutPatch(version: string): string {
  return majorMinor(version)?.join('.') ?? version;
}

/** The dialect of a declared protocol version: early before 0.2, then that of 0.3, 1.0's from 1.0 on; undefined for what is no version. */
export function dialectOf(version: string): CardDialect | undefined {
  const parsed = majorMinor(version);
  if (!parsed) return undefined;
  const [major, minor] = parsed;
  return major >= 1 ? '1.0' : minor >= 2 ? '0.3' : 'early';
}
