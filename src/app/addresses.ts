import { hostname } from 'node:os';
import { type Config, isLoopback } from '../config.ts';

/** A host as it stands in a URL: IPv6 in brackets; "any address" as a name that leads here. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** The names under which a server without tokens may be addressed. */
export function knownHosts({ HOST, PUBLIC_URL }: Config): string[] {
  const hosts = ['localhost', '127.0.0.1', '[::1]', urlHost(HOST).toLowerCase()];
  if (PUBLIC_URL !== undefined) hosts.push(new URL(PUBLIC_URL).hostname);
  if (!isLoopback(HOST)) hosts.push(hostname().toLowerCase());
  return hosts;
}

/** The files of TLS_CERT and TLS_KEY, where they are set. */
export const tlsFiles = ({ TLS_CERT, TLS_KEY }: Config): { certFile: string; keyFile: string } | undefined =>
  TLS_CERT !== undefined && TLS_KEY !== undefined ? { certFile: TLS_CERT, keyFile: TLS_KEY } : undefined;
