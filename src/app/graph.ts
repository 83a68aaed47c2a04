import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Config } from '../config.ts';
import { assembleEngine, engineOfSupergraph, subgraphEngine } from '../gateway/assemble.ts';
import type { Engine } from '../gateway/engine.ts';
import type { ContextFactory } from '../gateway/host/context.ts';
import { Graph } from '../gateway/host/graph.ts';
import { graphiqlPage } from '../gateway/host/graphiql.ts';
import { addGraphHttp } from '../gateway/host/http.ts';
import { DEFAULT_LIMITS } from '../gateway/host/limits.ts';
import { Operations } from '../gateway/host/operations.ts';
import { addGraphSse } from '../gateway/host/sse.ts';
import { addGraphSockets } from '../gateway/host/websocket.ts';
import { readSubgraphList, readTextOf } from '../gateway/subgraph-list.ts';
import type { Core, GraphQLContext } from '../graphql/context.ts';
import { createLoaders } from '../graphql/loaders.ts';
import { buildRegistrySubgraph, REGISTRY_SUBGRAPH } from '../graphql/schema.ts';
import type { Metrics } from '../http/metrics.ts';

/** What the graph's doors stand on. */
export interface GraphDoorsOptions {
  readonly config: Config;
  readonly core: Core;
  readonly http: FastifyInstance;
  readonly authenticator: Authenticator;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The doors onto the graph. */
export interface GraphDoors {
  readonly graph: Graph;
  /** WebSockets join once the server listens; answers what closes them. */
  openSockets(hosts: readonly string[]): () => Promise<void>;
  /** Ends Apollo Server and the engines. */
  close(): Promise<void>;
}

/** Composes the graph and adds its routes: `/graphql`, `/graphql/stream`, `/subgraph`. */
export async function addGraphDoors({
  config,
  core,
  http,
  authenticator,
  metrics,
  log,
}: GraphDoorsOptions): Promise<GraphDoors> {
  const contextOf: ContextFactory = ({ principal, headers, requestId }): GraphQLContext => ({
    principal,
    principalKey: principal.subject,
    headers,
    requestId,
    core,
    loaders: createLoaders(core, principal),
  });
  const subgraph = buildRegistrySubgraph();
  const scheme = config.TLS_CERT === undefined ? 'http' : 'https';
  const local = { name: REGISTRY_SUBGRAPH, url: `${scheme}://${config.HOST}:${config.PORT}/subgraph`, subgraph };
  const graph = new Graph(await engineOf(config, local));

  const shared = {
    authenticator,
    contextOf,
    operations: new Operations(DEFAULT_LIMITS),
    limits: DEFAULT_LIMITS,
    introspection: config.INTROSPECTION,
    hotPath: config.GRAPHQL_HOT_PATH,
    maxBodyBytes: config.MAX_BODY_BYTES,
    corsOrigins: config.CORS_ORIGINS,
    log,
    metrics,
  };
  const subgraphDoor = new Graph(subgraphEngine(subgraph));
  const stops = [
    await addGraphHttp(http, { ...shared, path: '/graphql', graph, page: graphiqlPage('/graphql') }),
    await addGraphHttp(http, { ...shared, path: '/subgraph', graph: subgraphDoor }),
  ];
  addGraphSse(http, { ...shared, path: '/graphql/stream', graph });
  return {
    graph,
    openSockets: (hosts) => addGraphSockets(http.server, { ...shared, path: '/graphql', graph, hosts }),
    async close() {
      await Promise.all(stops.map((stop) => stop()));
      await graph.engine.close();
    },
  };
}

/** The engine that the configuration asks for: a ready supergraph, or one composed with the subgraphs listed. */
async function engineOf(
  { SUPERGRAPH, SUBGRAPHS }: Config,
  local: Parameters<typeof assembleEngine>[0],
): Promise<Engine> {
  const remotes = SUBGRAPHS === undefined ? [] : await readSubgraphList(SUBGRAPHS);
  if (SUPERGRAPH === undefined) return assembleEngine(local, remotes);
  return engineOfSupergraph(await readTextOf('SUPERGRAPH', SUPERGRAPH), local, remotes);
}
