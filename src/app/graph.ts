import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { RollcallError } from '../errors.ts';
import { assembleEngine, type LocalSubgraph, subgraphEngine } from '../gateway/assemble.ts';
import type { ContextFactory } from '../gateway/host/context.ts';
import { Graph } from '../gateway/host/graph.ts';
import { graphiqlPage } from '../gateway/host/graphiql.ts';
import { addGraphHttp } from '../gateway/host/http.ts';
import { DEFAULT_LIMITS } from '../gateway/host/limits.ts';
import { LoadLimit } from '../gateway/host/load-limit.ts';
import { Operations } from '../gateway/host/operations.ts';
import { addGraphSse } from '../gateway/host/sse.ts';
import { addGraphSockets } from '../gateway/host/websocket.ts';
import { graphSource } from '../gateway/live/graph-source.ts';
import { LiveGraph } from '../gateway/live/live-graph.ts';
import { notLoaded, unloadedEngine } from '../gateway/live/unloaded.ts';
import type { OnFetch } from '../gateway/observe.ts';
import { Circuits } from '../gateway/remote/circuit-breaker.ts';
import type { Gate } from '../http/gate.ts';
import type { ReadinessCheck } from '../http/health.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Tracing } from '../telemetry.ts';

/** What the graph's doors stand on. */
export interface GraphDoorsOptions {
  readonly config: Config;
  /** The subgraph of this process, also served alone at `/subgraph`; none in a gateway of remote subgraphs only. */
  readonly local?: LocalSubgraph | undefined;
  readonly contextOf: ContextFactory;
  readonly http: FastifyInstance;
  readonly gate: Gate;
  readonly metrics: Metrics;
  readonly tracing?: Tracing | undefined;
  readonly log: Logger;
}

/** The doors onto the graph. */
export interface GraphDoors {
  readonly graph: Graph;
  /** Keeps the graph up to date; its first load is the caller's to await or not. */
  readonly live: LiveGraph;
  readonly ready: ReadinessCheck;
  /** WebSockets join once the server listens; answers what closes them. */
  openSockets(hosts: readonly string[]): () => Promise<void>;
  /** Ends Apollo Server and the engines. */
  close(): Promise<void>;
}

/**
 * Adds the graph's routes: `/graphql` and `/graphql/stream`, and, with a subgraph of this process, `/subgraph` and
 * `/subgraph/stream`. Sockets open at the path of their graph, where other gateways look for them.
 */
export async function addGraphDoors(options: GraphDoorsOptions): Promise<GraphDoors> {
  const { config, local, contextOf, http, gate, metrics, tracing, log } = options;
  const graph = new Graph(unloadedEngine(), tracing);
  const deadlineMs = config.GRAPH_DEADLINE_SECONDS === 0 ? undefined : config.GRAPH_DEADLINE_SECONDS * 1_000;
  const onFetch: OnFetch = (subgraph, outcome, seconds) => metrics.subgraphs.observe({ subgraph, outcome }, seconds);
  const circuits = new Circuits();
  const live = new LiveGraph({
    graph,
    source: graphSource(config),
    build: (definition) => assembleEngine(definition, { local, deadlineMs, onFetch, circuits }),
    pollMs: config.GRAPH_POLL_SECONDS * 1_000,
    log,
    onOutcome(outcome, { failure }) {
      metrics.graphReads.inc({ outcome });
      metrics.graphStale.set(failure === undefined ? 0 : 1);
    },
  });
  const shared = {
    gate,
    contextOf,
    operations: new Operations(DEFAULT_LIMITS),
    load: new LoadLimit(config.GRAPH_MAX_OPERATIONS),
    limits: DEFAULT_LIMITS,
    introspection: config.INTROSPECTION,
    hotPath: config.GRAPHQL_HOT_PATH,
    maxBodyBytes: config.MAX_BODY_BYTES,
    corsOrigins: config.CORS_ORIGINS,
    trustProxy: config.TRUST_PROXY,
    idleMs: config.SOCKET_IDLE_SECONDS * 1_000,
    log,
    metrics,
  };
  const stops = [await addGraphHttp(http, { ...shared, path: '/graphql', graph, page: graphiqlPage('/graphql') })];
  const served = new Map([['/graphql', graph]]);
  if (local !== undefined) {
    const subgraphDoor = new Graph(subgraphEngine(local.subgraph), tracing);
    served.set('/subgraph', subgraphDoor);
    stops.push(
      await addGraphHttp(http, {
        ...shared,
        path: '/subgraph',
        graph: subgraphDoor,
        tracedSchema: local.subgraph.schema,
      }),
    );
  }
  for (const [path, which] of served) addGraphSse(http, { ...shared, path: `${path}/stream`, graph: which });
  return {
    graph,
    live,
    ready: { name: 'graph', check: async () => graphDetail(live) },
    openSockets: (hosts) => addGraphSockets(http.server, { ...shared, graphs: served, hosts }),
    async close() {
      await live.stop();
      await Promise.all(stops.map((stop) => stop()));
      await graph.close();
    },
  };
}

/** An older graph still serves, so what keeps a newer one away is a detail and no failure. */
function graphDetail({ status }: LiveGraph): string | undefined {
  const { loaded, failure, warnings } = status;
  if (!loaded) throw failure === undefined ? notLoaded() : new RollcallError('GRAPH_NOT_LOADED', failure);
  if (failure !== undefined) return `An older graph is served, because of the newer one: ${failure}`;
  return warnings.length === 0 ? undefined : warnings.join(' ');
}
