import type { FastifyInstance } from 'fastify';

/** Public keys of one purpose, as JSON Web Keys. */
export type KeySource = () => Promise<readonly object[]>;

/** How long whoever verifies may use the keys without asking again. Retired keys stay in the list far longer. */
const MAX_AGE_SECONDS = 300;

/** `/.well-known/jwks.json`: the public keys of everything that this server signs (RFC 7517). For anyone, as signatures are. */
export function addJwksRoute(app: FastifyInstance, sources: readonly KeySource[]): void {
  app.get('/.well-known/jwks.json', async (_request, reply) => {
    const keys = (await Promise.all(sources.map((source) => source()))).flat();
    reply.header('cache-control', `public, max-age=${MAX_AGE_SECONDS}`);
    reply.header('content-type', 'application/jwk-set+json; charset=utf-8');
    return JSON.stringify({ keys });
  });
}
