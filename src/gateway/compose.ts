import { composeServices } from '@theguild/federation-composition';
import { type DocumentNode, GraphQLError, parse } from 'graphql';
import { expandRequires } from './composition/expand-requires.ts';
import { repairSupergraph } from './composition/repair-supergraph.ts';
import { subgraphsOf } from './supergraph.ts';

/** One subgraph to compose. `sdl` is what its `_service { sdl }` answers. */
export interface SubgraphDefinition {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

/** A problem that keeps subgraphs from composing; `code` is the composition code (for instance INVALID_FIELD_SHARING). */
export interface CompositionProblem {
  readonly code: string;
  readonly message: string;
  /** The subgraph it is in, where it can be told. */
  readonly subgraph?: string;
}

export type Composition =
  | { readonly supergraphSdl: string; readonly errors?: undefined }
  | { readonly supergraphSdl?: undefined; readonly errors: readonly CompositionProblem[] };

/**
 * Composes Federation v2 subgraphs (and v1 ones) into a supergraph. Never throws: whatever keeps them from composing
 * is in `errors`, every problem with the subgraph's name, so that an operator can act on it.
 */
export function composeSupergraph(subgraphs: readonly SubgraphDefinition[]): Composition {
  const errors: CompositionProblem[] = [];
  const names = new Set<string>();
  const services = subgraphs.flatMap(({ name, url, sdl }) => {
    if (names.has(name)) {
      errors.push({ code: 'DUPLICATE_SUBGRAPH', message: `Two subgraphs are named "${name}".`, subgraph: name });
    }
    names.add(name);
    try {
      return [{ name, url, typeDefs: expandRequires(parse(sdl)) }];
    } catch (thrown) {
      errors.push({ code: 'INVALID_GRAPHQL', message: `[${name}] ${describe(thrown)}`, subgraph: name });
      return [];
    }
  });
  if (subgraphs.length === 0) errors.push({ code: 'NO_SUBGRAPHS', message: 'There is no subgraph to compose.' });
  if (errors.length > 0) return { errors };
  try {
    const result = composeServices(services);
    if (result.supergraphSdl !== undefined) return { supergraphSdl: repaired(result.supergraphSdl, services) };
    return { errors: result.errors.map((error) => problemOf(error, names)) };
  } catch (thrown) {
    return { errors: [{ code: 'COMPOSITION_FAILED', message: describe(thrown) }] };
  }
}

function repaired(supergraphSdl: string, services: readonly { name: string; typeDefs: DocumentNode }[]): string {
  const graphs = new Map(subgraphsOf(supergraphSdl).map(({ name, enumValue }) => [name, enumValue]));
  const composed = services.flatMap(({ name, typeDefs }) => {
    const graph = graphs.get(name);
    return graph === undefined ? [] : [{ graph, typeDefs }];
  });
  return repairSupergraph(supergraphSdl, composed);
}

function problemOf(error: GraphQLError, names: ReadonlySet<string>): CompositionProblem {
  const code = typeof error.extensions.code === 'string' ? error.extensions.code : 'COMPOSITION_FAILED';
  const subgraph = /^\[([^\]]+)\]/.exec(error.message)?.[1];
  return {
    code,
    message: error.message,
    ...(subgraph !== undefined && names.has(subgraph) ? { subgraph } : {}),
  };
}

function describe(thrown: unknown): string {
  if (thrown instanceof GraphQLError && thrown.locations?.[0] !== undefined) {
    const { line, column } = thrown.locations[0];
    return `${thrown.message} (line ${line}, column ${column})`;
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}
