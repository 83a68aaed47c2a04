import { CriticalityLevel, diff } from '@graphql-inspector/core';
import type { GraphQLSchema } from 'graphql';
import { toRollcallError } from '../errors.ts';
import { buildApiSchema } from '../gateway/api-schema.ts';
import { type CompositionProblem, composeSupergraph, type SubgraphDefinition } from '../gateway/compose.ts';
import { TextSource } from '../gateway/live/text-source.ts';
import { parseSubgraphList, sdlOf } from '../gateway/subgraph-list.ts';
import { UsageError } from './exit.ts';

/** What composing answered: the supergraph and the names in it, or every problem. */
export type Checked =
  | { readonly supergraphSdl: string; readonly subgraphs: readonly string[]; readonly errors?: undefined }
  | { readonly errors: readonly CompositionProblem[] };

/** Composes what a list names. @throws RollcallError INVALID_INPUT for a list that cannot be read. */
export async function checkComposition(list: string, withRegistry: boolean): Promise<Checked> {
  const remotes = await parseSubgraphList(await new TextSource('--subgraphs', list).read(), list);
  const errors: CompositionProblem[] = [];
  const asked = await Promise.all(
    remotes.map((remote) =>
      sdlOf(remote).then(
        (sdl): SubgraphDefinition[] => [{ name: remote.name, url: remote.url, sdl }],
        (error: unknown) => {
          errors.push({ code: 'NO_SCHEMA', message: toRollcallError(error).message, subgraph: remote.name });
          return [];
        },
      ),
    ),
  );
  if (errors.length > 0) return { errors };
  const definitions = [...(withRegistry ? [await registry()] : []), ...asked.flat()];
  const composition = composeSupergraph(definitions);
  if (composition.errors !== undefined) return { errors: composition.errors };
  return { supergraphSdl: composition.supergraphSdl, subgraphs: definitions.map(({ name }) => name) };
}

async function registry(): Promise<SubgraphDefinition> {
  const { buildRegistrySubgraph, REGISTRY_SUBGRAPH } = await import('../graphql/schema.ts');
  return { name: REGISTRY_SUBGRAPH, url: 'http://127.0.0.1:4000/subgraph', sdl: buildRegistrySubgraph().sdl };
}

/** A difference between two graphs, as clients see them. */
export interface GraphChange {
  /** `breaking` ends some client's operation, `dangerous` may surprise one, `safe` does neither. */
  readonly level: 'breaking' | 'dangerous' | 'safe';
  readonly message: string;
  /** The type, field or argument, with dots. */
  readonly path: string | undefined;
}

const LEVELS = {
  [CriticalityLevel.Breaking]: 'breaking',
  [CriticalityLevel.Dangerous]: 'dangerous',
  [CriticalityLevel.NonBreaking]: 'safe',
} as const;
const ORDER = ['breaking', 'dangerous', 'safe'];

/** What clients would notice of a new supergraph, the worst first. @throws UsageError where the old one is none. */
export async function diffSupergraphs(oldFileOrUrl: string, newSupergraphSdl: string): Promise<GraphChange[]> {
  const oldSdl = await new TextSource('--diff', oldFileOrUrl).read();
  let old: GraphQLSchema;
  try {
    old = buildApiSchema(oldSdl);
  } catch (cause) {
    throw new UsageError(`--diff: ${oldFileOrUrl} is not a supergraph: ${(cause as Error).message}`, { cause });
  }
  const changes = await diff(old, buildApiSchema(newSupergraphSdl));
  return changes
    .map(({ criticality, message, path }): GraphChange => ({ level: LEVELS[criticality.level], message, path }))
    .sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
}
