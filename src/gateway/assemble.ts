import { RollcallError } from '../errors.ts';
import { composeSupergraph } from './compose.ts';
import { composeInThread } from './composition/in-thread.ts';
import { createEngine } from './create-engine.ts';
import type { Engine, SubgraphExecutor } from './engine.ts';
import type { NewDefinition } from './live/live-graph.ts';
import { localExecutor } from './local.ts';
import { type OnFetch, observed } from './observe.ts';
import type { Circuits } from './remote/circuit-breaker.ts';
import { remoteExecutor } from './remote/remote.ts';
import type { Subgraph } from './subgraph-schema.ts';

/** A subgraph that runs in this process. */
export interface LocalSubgraph {
  readonly name: string;
  /** Where other routers reach it; written into the supergraph. */
  readonly url: string;
  readonly subgraph: Subgraph;
}

/** What the engine of a whole graph is made from. */
export interface AssembleOptions {
  /** The subgraph of this process, if it has one. */
  readonly local: LocalSubgraph | undefined;
  /** Milliseconds that the remote fetches of one answer may take together. */
  readonly deadlineMs?: number | undefined;
  readonly onFetch?: OnFetch | undefined;
  /** Shared by the graphs that follow one another. */
  readonly circuits?: Circuits | undefined;
}

/**
 * The engine of a definition: of its ready supergraph, or of the local subgraph and the remote ones, composed.
 *
 * @throws RollcallError FAILED_PRECONDITION with every composition error; INVALID_INPUT for text that is no supergraph.
 */
export async function assembleEngine(
  definition: NewDefinition,
  { local, deadlineMs, onFetch, circuits }: AssembleOptions,
): Promise<Engine> {
  const supergraphSdl = definition.supergraphSdl ?? (await composed(definition, local));
  const byName = new Map(definition.remotes.map((remote) => [remote.name, remote]));
  // A subgraph that a ready supergraph names is called where that says, with what the list has for its name.
  const remote = (name: string, url: string): SubgraphExecutor => {
    const options = byName.get(name) ?? { name, url };
    return remoteExecutor(options, circuits?.of(options.url));
  };
  const executors = (name: string, url: string): SubgraphExecutor =>
    observed(name === local?.name ? localExecutor(local.subgraph.schema) : remote(name, url), name, onFetch);
  return createEngine({ supergraphSdl, executors, deadlineMs });
}

async function composed({ remotes, serving }: NewDefinition, local: LocalSubgraph | undefined): Promise<string> {
  const subgraphs = [
    ...(local === undefined ? [] : [{ name: local.name, url: local.url, sdl: local.subgraph.sdl }]),
    ...remotes.map(({ name, url, sdl = '' }) => ({ name, url, sdl })),
  ];
  const composition = serving === true ? await composeInThread(subgraphs) : composeSupergraph(subgraphs);
  if (composition.errors === undefined) return composition.supergraphSdl;
  throw new RollcallError(
    'FAILED_PRECONDITION',
    `The subgraphs do not compose:\n${composition.errors.map((e) => `  ${e.code}: ${e.message}`).join('\n')}`,
    { details: { errors: composition.errors } },
  );
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
