import type { Config } from '../config.ts';
import type { LocalSubgraph } from '../gateway/assemble.ts';
import { type ContextFactory, gatewayContext } from '../gateway/host/context.ts';
import type { Core, GraphQLContext } from '../graphql/context.ts';
import { createLoaders } from '../graphql/loaders.ts';
import { buildRegistrySubgraph, REGISTRY_SUBGRAPH } from '../graphql/schema.ts';

/** The registry as the subgraph of this process. */
export function registrySubgraph({ TLS_CERT, HOST, PORT }: Config): LocalSubgraph {
  const scheme = TLS_CERT === undefined ? 'http' : 'https';
  return { name: REGISTRY_SUBGRAPH, url: `${scheme}://${HOST}:${PORT}/subgraph`, subgraph: buildRegistrySubgraph() };
}

/** What its resolvers get with every operation. */
export const registryContext =
  (core: Core): ContextFactory =>
  (caller): GraphQLContext => ({
    ...gatewayContext(caller),
    headers: caller.headers,
    principal: caller.principal,
    requestId: caller.requestId,
    core,
    loaders: createLoaders(core, caller.principal),
  });
