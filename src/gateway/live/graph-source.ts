import { toRollcallError } from '../../errors.ts';
import { parseSubgraphList, type RemoteSubgraph, sdlOf } from '../subgraph-list.ts';
import { TextSource } from './text-source.ts';

/** Where the graph comes from: files or URLs, as the settings of the same names. */
export interface GraphSettings {
  readonly SUBGRAPHS?: string | undefined;
  readonly SUPERGRAPH?: string | undefined;
}

/** What the graph is to be made from, at one moment. */
export interface GraphDefinition {
  /** A ready supergraph; composed from the subgraphs where it is undefined. */
  readonly supergraphSdl: string | undefined;
  /** With what is known of their schemas: always there where the graph is to be composed. */
  readonly remotes: readonly RemoteSubgraph[];
  /** What is amiss without keeping the graph from being made: one sentence each. */
  readonly warnings: readonly string[];
}

/** Reads {@link GraphDefinition}s. */
export interface GraphSource {
  /** @throws RollcallError INVALID_INPUT for a setting that cannot be read. */
  read(): Promise<GraphDefinition>;
  /** Calls the listener when a file has changed; URLs and subgraphs must be read again now and then. */
  watch(listener: () => void): () => void;
}

/** The graph as SUBGRAPHS and SUPERGRAPH say. */
export function graphSource({ SUBGRAPHS, SUPERGRAPH }: GraphSettings): GraphSource {
  const list = SUBGRAPHS === undefined ? undefined : new TextSource('SUBGRAPHS', SUBGRAPHS);
  const supergraph = SUPERGRAPH === undefined ? undefined : new TextSource('SUPERGRAPH', SUPERGRAPH);
  const schemas = new RemoteSchemas();
  return {
    async read() {
      const remotes = list === undefined ? [] : await parseSubgraphList(await list.read(), SUBGRAPHS!);
      if (supergraph !== undefined) return { supergraphSdl: await supergraph.read(), remotes, warnings: [] };
      return { supergraphSdl: undefined, ...(await schemas.of(remotes)) };
    },
    watch(listener) {
      const ends = [list, supergraph].flatMap((source) => source?.watch(listener) ?? []);
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

/** The schemas of remote subgraphs. One that does not answer keeps the schema that it told last: it may only be restarting. */
class RemoteSchemas {
  #known = new Map<string, string>();

  async of(remotes: readonly RemoteSubgraph[]): Promise<Pick<GraphDefinition, 'remotes' | 'warnings'>> {
    const warnings: string[] = [];
    const told = new Map<string, string>();
    const withSdl = await Promise.all(
      remotes.map(async (remote) => {
        const key = `${remote.name} ${remote.url}`;
        const sdl = await sdlOf(remote).catch((error: unknown) => {
          const kept = this.#known.get(key);
          const instead = kept === undefined ? 'it is left out of the graph' : 'the schema that it told last is kept';
          warnings.push(`${toRollcallError(error).message} Until it does, ${instead}.`);
          return kept;
        });
        if (sdl !== undefined) told.set(key, sdl);
        return sdl === undefined ? [] : [{ ...remote, sdl }];
      }),
    );
    this.#known = told;
    return { remotes: withSdl.flat(), warnings };
  }
}
