import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type ExecutionResult, parse } from 'graphql';
import type { OperationType, SubgraphExecutor } from '../../../src/gateway/engine.ts';
import { subgraphsOf } from '../../../src/gateway/supergraph.ts';
import type { WorldContext } from './world.ts';

/**
 * Another implementation of federation over the same query planner, `@graphql-hive/router-runtime`. It is a
 * dependency of the benchmarks alone, with its own copy of `graphql`: documents go to it, and come back from it, as
 * text, and its schemas are built by its own copy.
 */
const MANIFEST = new URL('../../bench/federation/package.json', import.meta.url);
export const PEER = '@graphql-hive/router-runtime';
export const INSTALL_PEER = 'npm ci --prefix test/bench/federation --ignore-scripts';
export const isPeerInstalled = existsSync(new URL(`node_modules/${PEER}/package.json`, MANIFEST));

export interface PeerRequest {
  readonly source: string;
  readonly variables: Record<string, unknown>;
  readonly operationType: OperationType;
  readonly context: WorldContext;
}
export interface Peer {
  readonly version: string;
  /** Throws (or rejects) where it cannot plan or answer at all. */
  execute(request: PeerRequest): Promise<ExecutionResult>;
}

/** A document of the other copy of `graphql`: nothing of ours looks into it. */
type ForeignDocument = { readonly kind: 'Document' };
interface ForeignGraphql {
  parse(source: string): ForeignDocument;
  print(document: ForeignDocument): string;
  buildSchema(sdl: string, options: object): object;
}
interface SubgraphRequest {
  readonly document: ForeignDocument;
  readonly variables?: Record<string, unknown>;
  readonly operationType?: OperationType;
  readonly context: WorldContext;
}
interface RouterRuntime {
  unifiedGraphHandler(options: {
    unifiedGraph: object;
    getUnifiedGraphSDL(): string;
    onSubgraphExecute(name: string, request: SubgraphRequest): unknown;
  }): Promise<{ executor(request: object): ExecutionResult | Promise<ExecutionResult> }>;
}

export async function createPeer(supergraphSdl: string, executors: (name: string) => SubgraphExecutor): Promise<Peer> {
  const require = createRequire(MANIFEST);
  const graphql = require('graphql') as ForeignGraphql;
  const { unifiedGraphHandler } = require(PEER) as RouterRuntime;
  const byName = new Map<string, SubgraphExecutor>();
  for (const { enumValue, name } of subgraphsOf(supergraphSdl)) {
    const executor = executors(name);
    byName.set(enumValue, executor).set(name, executor);
  }
  const { executor } = await unifiedGraphHandler({
    unifiedGraph: graphql.buildSchema(supergraphSdl, { assumeValid: true, assumeValidSDL: true }),
    getUnifiedGraphSDL: () => supergraphSdl,
    onSubgraphExecute(name, { document, variables, operationType, context }) {
      const subgraph = byName.get(name);
      if (subgraph === undefined) throw new Error(`no subgraph ${name}`);
      const ours = parse(graphql.print(document));
      return subgraph.execute({ document: ours, variables, operationType: operationType ?? 'query', context });
    },
  });
  return {
    version: (require(`${PEER}/package.json`) as { version: string }).version,
    execute: async ({ source, ...request }) => executor({ document: graphql.parse(source), ...request }),
  };
}
