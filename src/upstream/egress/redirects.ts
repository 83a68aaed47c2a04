import { RollcallError } from '../../errors.ts';
import { type OutboundUrl, parseOutboundUrl } from './url.ts';

export type EgressMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request of a chain of redirects. */
export interface Hop {
  readonly target: OutboundUrl;
  readonly method: EgressMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export const isRedirect = (status: number, location: string | undefined): location is string =>
  REDIRECTS.has(status) && location !== undefined;

/** Whether the next request is a GET without body (https://fetch.spec.whatwg.org/#http-redirect-fetch, step 12). */
const becomesGet = (status: number, method: EgressMethod): boolean =>
  (status === 303 && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST');

/**
 * Where a Location leads. An absolute one is judged as it is written, like any URL from outside; a relative one stays
 * on its origin, unless it is one of the forms by which the URL standard lets it leave (`//host`, `/\host`).
 */
function resolveLocation(location: string, from: OutboundUrl): OutboundUrl {
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return parseOutboundUrl(location);
  if (location.startsWith('//')) return parseOutboundUrl(from.protocol + location);
  if (/[\\\u0000-\u0020]/.test(location))
    throw new Error('a relative location with characters that parsers read differently');
  return parseOutboundUrl(new URL(location, from.href).href);
}

/**
 * The request that a redirect asks for. Its address has not been checked yet.
 *
 * @param sensitive lower-case names of the headers that must not reach another origin.
 * @throws RollcallError UPSTREAM_INVALID for a Location that is malformed, or that leaves https for http.
 */
export function nextHop(hop: Hop, status: number, location: string, sensitive: ReadonlySet<string>): Hop {
  const { target: from } = hop;
  let target: OutboundUrl;
  try {
    target = resolveLocation(location, from);
  } catch (cause) {
    throw new RollcallError('UPSTREAM_INVALID', `${from.origin} redirects to a malformed URL.`, { cause });
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new RollcallError('UPSTREAM_INVALID', `${from.origin} redirects from https to plain http, which is refused.`);
  }
  const toGet = becomesGet(status, hop.method);
  const crossOrigin = target.origin !== from.origin;
  const headers = Object.fromEntries(
    Object.entries(hop.headers).filter(
      ([name]) => !(crossOrigin && sensitive.has(name)) && !(toGet && name.startsWith('content-')),
    ),
  );
  return { target, method: toGet ? 'GET' : hop.method, headers, body: toGet ? undefined : hop.body };
}
