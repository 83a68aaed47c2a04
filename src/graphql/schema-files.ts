import { composeSupergraph } from '../gateway/compose.ts';
import { buildRegistrySubgraph, REGISTRY_SUBGRAPH } from './schema.ts';

/** Written into the supergraph where no server is running: the default address. */
const DEFAULT_URL = 'http://127.0.0.1:4000/subgraph';

const HEAD = '# Written by `npm run schema`; do not edit.\n\n';

/** The files of `schema/`: the registry's subgraph, and the supergraph of it alone. */
export function printSchemaFiles(): Readonly<Record<'registry.graphql' | 'supergraph.graphql', string>> {
  const { sdl } = buildRegistrySubgraph();
  const { supergraphSdl } = composeSupergraph([{ name: REGISTRY_SUBGRAPH, url: DEFAULT_URL, sdl }]);
  return { 'registry.graphql': `${HEAD}${sdl.trim()}\n`, 'supergraph.graphql': `${HEAD}${supergraphSdl!.trim()}\n` };
}
