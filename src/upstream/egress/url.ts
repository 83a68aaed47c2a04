import { isIP, isIPv4, isIPv6 } from 'node:net';
import { invalid } from '../../errors.ts';

/** A user-supplied URL that is written plainly. It says nothing yet about whether its host may be reached. */
export interface OutboundUrl {
  readonly protocol: 'http:' | 'https:';
  /** Lower case, IPv6 without brackets and in its shortest form: what is resolved, checked and sent as SNI. */
  readonly host: string;
  readonly port: number;
  /** Scheme, host and port, without credentials, path or query: safe in messages. */
  readonly origin: string;
  /** Path and query, as they go on the wire. */
  readonly path: string;
  /** The whole URL without its fragment. */
  readonly href: string;
}

const MAX_URL_LENGTH = 8192;
const SHAPE = /^(https?):\/\/([^/?#]*)([/?#].*)?$/is;
const AUTHORITY = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/s;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** How the URL standard recognises an IPv4 address: by its last label (https://url.spec.whatwg.org/#ends-in-a-number-checker). */
const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;
const UNPRINTABLE = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufeff]/;
const NON_ASCII = /[^\u0021-\u007e]/;

/**
 * A host as written, in the one form that every parser reads alike: a plain host name, a dotted IPv4 address of four
 * decimal numbers, or an IPv6 address. `new URL` would turn `0x7f.1`, `2130706433`, `127。0。0。1` and `１２７.0.0.1` into
 * 127.0.0.1 without a word, so the raw text is judged before any parser sees it.
 *
 * @throws RollcallError INVALID_INPUT for every other form.
 */
export function parseHost(raw: string, field = 'host'): string {
  if (raw.startsWith('[') !== raw.endsWith(']')) throw invalid(field, 'has unbalanced brackets around the host.');
  const bare = raw.startsWith('[') ? raw.slice(1, -1) : raw;
  if (bare === '') throw invalid(field, 'names no host.');
  if (NON_ASCII.test(bare)) {
    throw invalid(field, 'the host must be ASCII; write an international name in its xn-- form.');
  }
  if (bare.includes('%')) {
    throw invalid(field, 'the host must carry neither percent-encoding nor a zone id.');
  }
  if (bare.includes(':')) {
    if (!isIPv6(bare)) throw invalid(field, 'the host is not a valid IPv6 address.');
    return new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  }
  if (raw.startsWith('[')) throw invalid(field, 'only an IPv6 address goes in brackets.');
  const host = bare.toLowerCase();
  if (host.endsWith('.')) throw invalid(field, 'the host must not end in a dot.');
  const labels = host.split('.');
  if (NUMERIC_LABEL.test(labels.at(-1) ?? '')) {
    if (!isIPv4(host)) {
      throw invalid(field, 'an IPv4 address must be written as four decimal numbers without leading zeros.');
    }
    return host;
  }
  if (host.length > 253 || !labels.every((label) => LABEL.test(label))) {
    throw invalid(field, 'the host is not a valid host name.');
  }
  return host;
}

function parsePort(written: string | undefined, protocol: string, field: string): number {
  if (written === undefined) return protocol === 'https:' ? 443 : 80;
  const port = Number(written);
  if (!/^[1-9][0-9]{0,4}$/.test(written) || port > 65_535)
    throw invalid(field, 'the port must be between 1 and 65535.');
  return port;
}

/**
 * An absolute http(s) URL, taken apart. Everything that two parsers could read differently is refused: user info,
 * control characters, white space, backslashes, missing slashes, odd hosts (see {@link parseHost}) and ports.
 *
 * @param field how the caller knows this input; it begins the message.
 * @throws RollcallError INVALID_INPUT. The message never repeats the URL, which may hold a password or a token.
 */
export function parseOutboundUrl(raw: string, field = 'url'): OutboundUrl {
  if (raw.length > MAX_URL_LENGTH) throw invalid(field, `must not be longer than ${MAX_URL_LENGTH} characters.`);
  if (UNPRINTABLE.test(raw)) throw invalid(field, 'must hold neither white space nor control characters.');
  if (raw.includes('\\')) throw invalid(field, 'must not hold a backslash.');
  const shape = SHAPE.exec(raw);
  if (shape === null) throw invalid(field, 'must be an absolute URL that begins with http:// or https://.');
  const [, scheme = '', authority = ''] = shape;
  if (authority.includes('@')) {
    throw invalid(field, 'must not hold a user name or password; configure the authentication instead.');
  }
  const parts = AUTHORITY.exec(authority);
  if (parts === null) throw invalid(field, 'the host or port is malformed.');
  const protocol = scheme.toLowerCase() === 'https' ? 'https:' : 'http:';
  const host = parseHost(parts[1] ?? '', field);
  const port = parsePort(parts[2], protocol, field);

  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  const written = isIP(host) === 6 ? `[${host}]` : host;
  // The two parsers must agree on where the request goes; where they do not, neither is right.
  if (url === undefined || url.hostname !== written || url.username !== '' || url.password !== '') {
    throw invalid(field, 'is not a valid URL.');
  }
  url.hash = '';
  return { protocol, host, port, origin: url.origin, path: url.pathname + url.search, href: url.href };
}
