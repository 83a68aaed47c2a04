import type { IncomingHttpHeaders } from 'undici/types/header.js';
import { invalid } from '../../errors.ts';

/** Header names in lower case. Several values of one name are joined by a comma, as RFC 9110 §5.3 allows. */
export type HeaderMap = Readonly<Record<string, string>>;

/**
 * Headers that belong to the connection and not to the caller: `host` would change SNI and the virtual host behind the
 * back of the check, the others how the message is framed.
 */
const OURS = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Never sent to another origin than the one they were meant for. */
const ALWAYS_SENSITIVE = ['authorization', 'cookie', 'cookie2', 'x-api-key', 'x-a2a-notification-token'];

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The caller's headers in lower case, with ours.
 *
 * @throws RollcallError INVALID_INPUT naming the header (never its value).
 */
export function requestHeaders(
  given: Readonly<Record<string, string>>,
  etag: string | undefined,
): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'rollcall' };
  for (const [name, value] of Object.entries(given)) {
    const key = name.toLowerCase();
    if (!NAME.test(key)) throw invalid('headers', 'holds a name that is not a valid header name.');
    if (OURS.has(key)) throw invalid(`headers.${key}`, 'is set by Rollcall itself; leave it out.');
    if (!VALUE.test(value)) throw invalid(`headers.${key}`, 'holds characters that a header must not hold.');
    headers[key] = value;
  }
  if (etag !== undefined) {
    if (!VALUE.test(etag)) throw invalid('etag', 'holds characters that a header must not hold.');
    headers['if-none-match'] = etag;
  }
  // A compressed answer could grow a thousandfold behind the cap on its size.
  headers['accept-encoding'] = 'identity';
  return headers;
}

/** The names to drop when a redirect leads to another origin. */
export const sensitiveNames = (flagged: readonly string[]): ReadonlySet<string> =>
  new Set([...ALWAYS_SENSITIVE, ...flagged.map((name) => name.toLowerCase())]);

export function responseHeaders(raw: IncomingHttpHeaders): HeaderMap {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(raw)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
