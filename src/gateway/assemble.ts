import { RollcallError } from '../errors.ts';
import { composeSupergraph } from './compose.ts';
import { createEngine } from './create-engine.ts';
import type { Engine, SubgraphExecutor } from './engine.ts';
import { localExecutor } from './local.ts';
import { remoteExecutor } from './remote/remote.ts';
import { type RemoteSubgraph, sdlOf } from './subgraph-list.ts';
import type { Subgraph } from './subgraph-schema.ts';

/** A subgraph that runs in this process. */
export interface LocalSubgraph {
  readonly name: string;
  /** Where other routers reach it; written into the supergraph. */
  readonly url: string;
  readonly subgraph: Subgraph;
}

/**
 * Composes the in-process subgraph with remote ones, and makes the engine of the result.
 *
 * @throws RollcallError FAILED_PRECONDITION with every composition error; UPSTREAM_… for a subgraph that does not tell its schema.
 */
export async function assembleEngine(local: LocalSubgraph, remotes: readonly RemoteSubgraph[]): Promise<Engine> {
  const definitions = await Promise.all(
    remotes.map(async (remote) => ({ name: remote.name, url: remote.url, sdl: await sdlOf(remote) })),
  );
  const composition = composeSupergraph([
    { name: local.name, url: local.url, sdl: local.subgraph.sdl },
    ...definitions,
  ]);
  if (composition.errors !== undefined) {
    throw new RollcallError(
      'FAILED_PRECONDITION',
      `The subgraphs do not compose:\n${composition.errors.map((e) => `  ${e.code}: ${e.message}`).join('\n')}`,
      { details: { errors: composition.errors } },
    );
  }
  return engineOfSupergraph(composition.supergraphSdl, local, remotes);
}

/**
 * The engine of a ready supergraph. The subgraph that is named like the local one runs in this process; the others are
 * called where the supergraph says, with the headers and limits that the list has for their names.
 *
 * @throws RollcallError INVALID_INPUT for text that is no supergraph.
 */
export function engineOfSupergraph(
  supergraphSdl: string,
  local: LocalSubgraph,
  remotes: readonly RemoteSubgraph[],
): Promise<Engine> {
  const byName = new Map(remotes.map((remote) => [remote.name, remote]));
  const executors = (name: string, url: string): SubgraphExecutor =>
    name === local.name ? localExecutor(local.subgraph.schema) : remoteExecutor(byName.get(name) ?? { name, url });
  return createEngine({ supergraphSdl, executors });
}

/** The engine of a single in-process subgraph with its federation fields: what `/subgraph` serves to other routers. */
export function subgraphEngine(subgraph: Subgraph): Engine {
  const executor = localExecutor(subgraph.schema);
  return {
    schema: subgraph.schema,
    supergraphSdl: subgraph.sdl,
    execute: (request) => executor.execute(request),
    close: () => executor.close(),
  };
}
