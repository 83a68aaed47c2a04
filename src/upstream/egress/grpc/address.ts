import { isIP } from 'node:net';
import { invalid } from '../../../errors.ts';
import { specialKind } from '../ranges.ts';
import { parseOutboundUrl } from '../url.ts';

/** A user-supplied gRPC address that is written plainly. It says nothing yet about whether its host may be reached. */
export interface GrpcAddress {
  /** Lower case, IPv6 without brackets: what is resolved, checked and sent as SNI. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** `host:port`, IPv6 in brackets: the :authority of every call, and safe in messages. */
  readonly authority: string;
  /** The http(s) origin of the same server: what credentials are bound to. */
  readonly origin: string;
}

interface Scheme {
  readonly http: 'http' | 'https';
  /** Whether the port may be left out: https and http have one by themselves. */
  readonly portless: boolean;
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  grpc: { http: 'http', portless: false },
  grpcs: { http: 'https', portless: true },
  http: { http: 'http', portless: true },
  https: { http: 'https', portless: true },
};

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is;
const TLS_PORT = 443;
/** Names that public DNS never answers for (RFC 6761, 6762, 8375, and what container networks use). */
const INSIDE = /(?:^|\.)(?:localhost|internal|local|svc|home\.arpa)$/;

/** Whether a host, by the way it is written, is one of this machine or of a private network. */
const isInside = (host: string): boolean =>
  isIP(host) === 0 ? !host.includes('.') || INSIDE.test(host) : specialKind(host) !== undefined;

/**
 * `host:port` (A2A 1.0 §5.8), or a grpc://, grpcs://, http:// or https:// URL as some cards write it; the path of an
 * http(s) URL is left out, as gRPC has none. Host and port are judged by the rules of {@link parseOutboundUrl}.
 *
 * TLS: grpcs and https have it, grpc and http have not. An address without a scheme has it on port 443, and on other
 * ports unless the host is written as one of this machine or of a private network. What decides is how it is written,
 * never what a name resolves to: a lying DNS must not be able to talk anyone out of TLS.
 *
 * @param tls decides for an address without a scheme.
 * @throws RollcallError INVALID_INPUT. The message never repeats the address, which may hold a password or a token.
 */
export function parseGrpcAddress(raw: string, field = 'url', tls?: boolean): GrpcAddress {
  const written = SCHEME.exec(raw);
  if (written === null) return withoutScheme(raw, field, tls);
  const [, name = '', rest = ''] = written;
  const key = name.toLowerCase();
  const scheme = Object.hasOwn(SCHEMES, key) ? SCHEMES[key] : undefined;
  if (scheme === undefined) {
    throw invalid(field, 'must be host:port, or begin with grpc://, grpcs://, http:// or https://.');
  }
  if (tls !== undefined && tls !== (scheme.http === 'https')) {
    throw invalid(field, `begins with ${key}://, which contradicts tls: ${tls}; write host:port.`);
  }
  const target = parse(`${scheme.http}://${rest}`, field);
  if (!scheme.portless && !/:\d+$/.test(rest.split('/', 1)[0] ?? '')) {
    throw invalid(field, 'must name a port, as in grpc://host:50051.');
  }
  return addressOf(target.host, target.port, scheme.http === 'https');
}

function withoutScheme(raw: string, field: string, tls: boolean | undefined): GrpcAddress {
  const target = parse(`https://${raw}`, field);
  if (target.path !== '/') throw invalid(field, 'must be host:port: gRPC has no path.');
  return addressOf(target.host, target.port, tls ?? (target.port === TLS_PORT || !isInside(target.host)));
}

function parse(url: string, field: string) {
  if (/[?#]/.test(url)) throw invalid(field, 'must have neither query nor fragment: gRPC has none.');
  return parseOutboundUrl(url, field);
}

function addressOf(host: string, port: number, tls: boolean): GrpcAddress {
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return { host, port, tls, authority, origin: new URL(`${tls ? 'https' : 'http'}://${authority}`).origin };
}
