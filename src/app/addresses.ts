import { accessSync, constants } from 'node:fs';
import { hostname } from 'node:os';
import { type Config, isLoopback, misconfigured } from '../config.ts';

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

/** The files of TLS_CERT and TLS_KEY, where they are set. @throws RollcallError INVALID_INPUT naming the one that cannot be read. */
export function tlsFiles({ TLS_CERT, TLS_KEY }: Config): { certFile: string; keyFile: string } | undefined {
  if (TLS_CERT === undefined || TLS_KEY === undefined) return undefined;
  for (const [name, file] of Object.entries({ TLS_CERT, TLS_KEY })) {
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      throw misconfigured(name, `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }
  return { certFile: TLS_CERT, keyFile: TLS_KEY };
}

/** Opens a port; a refusal names the setting, as several ports are opened and the system only tells a number. */
export async function opening<T>(setting: string, port: number, open: Promise<T>): Promise<T> {
  try {
    return await open;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0]!;
    const taken = /EADDRINUSE/.test(reason) ? 'is taken by another process' : `cannot be opened: ${reason}`;
    throw misconfigured(setting, `port ${port} ${taken}. Choose another one, or 0 for any that is free`);
  }
}
