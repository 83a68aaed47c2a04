import type { Logger } from 'pino';
import { type Principal, SCOPES, SYSTEM } from '../auth/principal.ts';
import type { Config } from '../config.ts';
import { registrySource } from '../flyte/registry-source.ts';
import { type FlyteServer, startFlyteServer } from '../flyte/server.ts';
import type { Core } from '../graphql/context.ts';

/** Who Flyte's services act as: they have no callers of their own, as propeller presents no token. */
function flytePrincipal({ AUTH_MODE, FLYTE_PRINCIPAL }: Config): Principal | undefined {
  if (AUTH_MODE === 'none') return SYSTEM;
  if (FLYTE_PRINCIPAL === undefined) return undefined;
  const scopes = new Set(SCOPES.filter((scope) => scope !== 'admin' && scope !== 'tasks:admin'));
  return { subject: FLYTE_PRINCIPAL, anonymous: false, scopes };
}

/** Opens Flyte's port, where there is one. With tokens it opens only under a named principal: whoever reaches it may use the agents. */
export async function startFlyte(
  config: Config,
  { registry, events }: Core,
  log: Logger,
): Promise<FlyteServer | undefined> {
  if (config.FLYTE_PORT === undefined) return undefined;
  const principal = flytePrincipal(config);
  if (principal === undefined) {
    log.warn(
      'FLYTE_PORT is set, but FLYTE_PRINCIPAL is not: the port stays shut, as it would let anyone use the agents',
    );
    return undefined;
  }
  return startFlyteServer({
    source: registrySource(registry, events, principal),
    host: config.HOST,
    port: config.FLYTE_PORT,
    log,
  });
}
