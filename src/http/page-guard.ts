import type { IncomingMessage } from 'node:http';
import type { Authenticator } from '../auth/authenticator.ts';
import { RollcallError } from '../errors.ts';

/** What the guard needs to know of the server. */
export interface PageGuardOptions {
  readonly authenticator: Pick<Authenticator, 'mode'>;
  readonly hosts: readonly string[];
  readonly corsOrigins: readonly string[];
}

/** "name:port" → "name"; brackets of IPv6 stay. */
const hostName = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

/**
 * Keeps web pages from using a server through somebody's browser. Without tokens (`AUTH_MODE=none`) a page needs nothing
 * but to reach it: so the Host must be one of ours (a rebound DNS name is not), and whatever a browser says comes from
 * another site is refused unless CORS_ORIGINS lists its origin.
 *
 * @throws RollcallError FORBIDDEN.
 */
export function guardAgainstPages(
  request: IncomingMessage,
  { authenticator, hosts, corsOrigins }: PageGuardOptions,
): void {
  const { host, origin } = request.headers;
  if (authenticator.mode === 'none' && (host === undefined || !hosts.includes(hostName(host)))) {
    throw new RollcallError(
      'FORBIDDEN',
      'Host: this server is not known under that name. Set PUBLIC_URL to the address that people use.',
    );
  }
  if (origin !== undefined && origin !== 'null' && !corsOrigins.includes(origin) && !isSameOrigin(origin, host)) {
    throw new RollcallError(
      'FORBIDDEN',
      'Origin: pages of that origin may not call this server. Add it to CORS_ORIGINS to let them.',
    );
  }
  const site = request.headers['sec-fetch-site'];
  const fromElsewhere = site === 'cross-site' || site === 'same-site' || origin === 'null';
  const navigation = request.headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET';
  if (fromElsewhere && !navigation && !(origin !== undefined && corsOrigins.includes(origin))) {
    throw new RollcallError('FORBIDDEN', 'A page of another site may not call this server.');
  }
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
