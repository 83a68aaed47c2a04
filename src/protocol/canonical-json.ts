import { hash } from 'node:crypto';
import { invalid } from '../errors.ts';

/** Deeper values are refused, which also ends a cyclic one. */
const MAX_DEPTH = 512;

/** Where in the value we are; put together only for an error. */
type Path = (string | number)[];

const shown = (path: Path): string =>
  path.map((step, i) => (i === 0 ? step : typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');

function text(value: string, path: Path): string {
  if (!value.isWellFormed()) throw invalid(shown(path), 'holds half of a surrogate pair, which has no UTF-8 form.');
  return JSON.stringify(value);
}

function within(path: Path, step: string | number, value: unknown): string {
  path.push(step);
  const written = serialise(value, path);
  path.pop();
  return written;
}

function serialise(value: unknown, path: Path): string {
  if (path.length > MAX_DEPTH + 1) throw invalid('$', `is nested deeper than ${MAX_DEPTH} levels.`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return text(value, path);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(shown(path), 'is not a finite number, so JSON cannot carry it.');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item, index) => within(path, index, item)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    // The default order of strings is by UTF-16 code units, which is what RFC 8785 asks for.
    members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${members.map(([key, member]) => `${text(key, path)}:${within(path, key, member)}`).join(',')}}`;
  }
  throw invalid(shown(path), `is of type ${typeof value}, which JSON cannot carry.`);
}

/**
 * A JSON value in the one spelling that RFC 8785 (JCS) gives it: no white space, members sorted by UTF-16 code units,
 * numbers and strings as ECMAScript prints them. Members whose value is undefined are left out, as JSON.stringify does.
 * Throws INVALID_INPUT, naming the path, for what has no such form: NaN and infinities, lone surrogates, functions,
 * big integers, cycles.
 *
 * @param name how the caller knows the value; it begins the path
 */
export const canonicalJson = (value: unknown, name = '$'): string => serialise(value, [name]);

/** SHA-256 of bytes, or of a string's UTF-8 form, in lower-case hexadecimal: the digest of a source card as it came. */
export const sha256Hex = (content: Uint8Array | string): string => hash('sha256', content, 'hex');

/** SHA-256 of a value's canonical form: equal for two documents that differ only in spelling. Throws as {@link canonicalJson}. */
export const canonicalDigest = (value: unknown): string => sha256Hex(canonicalJson(value));
