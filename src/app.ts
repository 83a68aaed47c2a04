import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { addCardRoutes } from './a2a/card-routes.ts';
import { startA2aGrpc } from './a2a/grpc/server.ts';
import { addA2aRoutes } from './a2a/routes.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import { type Principal, SCOPES, SYSTEM } from './auth/principal.ts';
import { type Config, isLoopback } from './config.ts';
import { type Database, type DatabaseOptions, openDatabase } from './database/database.ts';
import { newId } from './database/ids.ts';
import { createSecretBox, keyInDataDirectory } from './database/secret-box.ts';
import { createMemoryEvents, type Events } from './events/events.ts';
import { registrySource } from './flyte/registry-source.ts';
import { type FlyteServer, startFlyteServer } from './flyte/server.ts';
import { assembleEngine, subgraphEngine } from './gateway/assemble.ts';
import type { ContextFactory } from './gateway/host/context.ts';
import { Graph } from './gateway/host/graph.ts';
import { graphiqlPage } from './gateway/host/graphiql.ts';
import { addGraphHttp } from './gateway/host/http.ts';
import { DEFAULT_LIMITS } from './gateway/host/limits.ts';
import { Operations } from './gateway/host/operations.ts';
import { addGraphSse } from './gateway/host/sse.ts';
import { addGraphSockets } from './gateway/host/websocket.ts';
import { readSubgraphList } from './gateway/subgraph-list.ts';
import type { Core, GraphQLContext } from './graphql/context.ts';
import { createLoaders } from './graphql/loaders.ts';
import { buildRegistrySubgraph, REGISTRY_SUBGRAPH } from './graphql/schema.ts';
import { addHealthRoutes } from './http/health.ts';
import { createMetrics } from './http/metrics.ts';
import { createHttpServer, listen } from './http/server.ts';
import { createCards } from './registry/cards/cards.ts';
import { type CardGateway } from './registry/cards/derive-card.ts';
import { registerEchoAgent } from './registry/first-start.ts';
import { createRegistry, type Registry } from './registry/registry.ts';
import { createTasks, type Tasks } from './tasks/tasks.ts';
import { createEgress, type Egress, LOOPBACK_ENTRIES } from './upstream/egress.ts';
import { createExecutors } from './upstream/executors.ts';

/** Where a running server is reached. URLs end in "/". */
export interface Addresses {
  readonly url: string;
  /** `host:port` of A2A's gRPC binding. */
  readonly grpc: string;
  /** `host:port` of Flyte's services; undefined while they are off. */
  readonly flyte: string | undefined;
}

/** A running server. */
export interface App {
  readonly addresses: Addresses;
  readonly core: Core;
  readonly database: Database;
  readonly http: FastifyInstance;
  readonly graph: Graph;
  /** The migrations that this start ran. */
  readonly migrated: readonly string[];
  /** Stops in order: no new work, running requests end, then what they stand on. Further calls give the first one's promise. */
  close(): Promise<void>;
}

/** What a caller in this process may give besides the configuration. */
export type StartOptions = Pick<DatabaseOptions, 'template'>;

/** Requests under way when the server stops get this long. */
const DRAIN_MS = 3_000;

/** The registry on an open database, without tasks: what the CLI works with, as an engine would take over their work. */
export function createRegistryCore(config: Config, database: Database, log: Logger, gateway: () => CardGateway) {
  const events = createMemoryEvents();
  const secrets = createSecretBox(
    config.SECRET_KEY ??
      (config.DATABASE_URL?.startsWith('memory:') ? newId() + newId() : keyInDataDirectory(config.DATA_DIR)),
  );
  const egress = createEgress({ allow: config.EGRESS_ALLOW ?? (config.AUTH_MODE === 'none' ? LOOPBACK_ENTRIES : []) });
  const context = { database, events, secrets, egress, log };
  const registry = createRegistry(context);
  return { registry, cards: createCards(context, registry, gateway), events, egress };
}

/** The core on an open database. */
export function createCore(
  config: Config,
  database: Database,
  log: Logger,
  gateway: () => CardGateway,
): { core: Core; egress: Egress; events: Events; registry: Registry; tasks: Tasks } {
  const { registry, cards, events, egress } = createRegistryCore(config, database, log, gateway);
  const tasks = createTasks({
    database,
    events,
    registry,
    executors: createExecutors({ egress }),
    log,
    replicaId: newId(),
  });
  return { core: { registry, cards, tasks, events }, egress, events, registry, tasks };
}

/** Builds everything, in order, and listens. What was started is stopped again when a later step fails. */
export async function startApp(config: Config, log: Logger, more: StartOptions = {}): Promise<App> {
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.toReversed())
      await stop().catch((error: unknown) => log.error({ err: error }, 'a part did not stop cleanly'));
  };
  try {
    return await start(config, log, more, stops, stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function start(
  config: Config,
  log: Logger,
  more: StartOptions,
  stops: (() => Promise<void>)[],
  stopAll: () => Promise<void>,
): Promise<App> {
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR, ...more });
  stops.push(() => database.close());
  const migrated = await database.migrate();

  const authenticator = createAuthenticator(config);
  const metrics = createMetrics();
  const hosts = knownHosts(config);
  const http = createHttpServer({
    log,
    metrics,
    authenticator,
    maxBodyBytes: config.MAX_BODY_BYTES,
    trustProxy: config.TRUST_PROXY,
    hosts,
    corsOrigins: config.CORS_ORIGINS,
    tls: tlsFiles(config),
  });
  let draining = false;
  let publicUrl = config.PUBLIC_URL ?? '';
  let publicGrpcUrl = config.PUBLIC_GRPC_URL;
  const gateway = (): CardGateway => ({
    publicUrl,
    publicGrpcUrl,
    auth: authenticator.mode === 'jwt' ? 'bearer' : 'none',
  });

  const { core, egress, events, registry, tasks } = createCore(config, database, log, gateway);
  stops.push(() => events.close());
  stops.push(() => egress.close());
  stops.push(() => registry.close());
  stops.push(() => tasks.close());
  if (migrated.length > 0) await registerEchoAgent(registry);

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
  const remotes = config.SUBGRAPHS === undefined ? [] : await readSubgraphList(config.SUBGRAPHS);
  const engine = await assembleEngine(
    { name: REGISTRY_SUBGRAPH, url: `${scheme}://${config.HOST}:${config.PORT}/subgraph`, subgraph },
    remotes,
  );
  const graph = new Graph(engine);
  stops.push(() => graph.engine.close());
  const operations = new Operations(DEFAULT_LIMITS);

  const shared = {
    authenticator,
    contextOf,
    operations,
    limits: DEFAULT_LIMITS,
    maxBodyBytes: config.MAX_BODY_BYTES,
    log,
    metrics,
  };
  stops.push(
    await addGraphHttp(http, {
      ...shared,
      path: '/graphql',
      graph,
      introspection: config.INTROSPECTION,
      page: graphiqlPage('/graphql'),
    }),
  );
  stops.push(
    await addGraphHttp(http, {
      ...shared,
      path: '/subgraph',
      graph: new Graph(subgraphEngine(subgraph)),
      introspection: config.INTROSPECTION,
    }),
  );
  addGraphSse(http, { ...shared, path: '/graphql/stream', graph });
  addCardRoutes(http, { cards: core.cards, authenticator });
  addA2aRoutes(http, { ...shared, tasks, registry, events });
  addHealthRoutes(
    http,
    [{ name: 'database', check: async () => void (await database.query('select 1')) }],
    metrics,
    () => draining,
  );

  const port = await listen(http, config.HOST, config.PORT);
  const closeSockets = addGraphSockets(http.server, {
    ...shared,
    path: '/graphql',
    graph,
    hosts,
    corsOrigins: config.CORS_ORIGINS,
  });
  stops.push(async () => {
    await closeSockets();
    await closeHttp(http);
  });
  const url = `${scheme}://${urlHost(config.HOST)}:${port}/`;
  publicUrl ||= url;

  const grpc = await startA2aGrpc({
    tasks,
    registry,
    events,
    authenticator,
    log,
    host: config.HOST,
    port: config.GRPC_PORT,
    maxBodyBytes: config.MAX_BODY_BYTES,
    tls: tlsFiles(config),
  });
  stops.push(() => grpc.close(DRAIN_MS));
  const grpcAddress = `${urlHost(config.HOST)}:${grpc.port}`;
  publicGrpcUrl ??= grpcAddress;

  const flyte = await startFlyte(config, core, events, log);
  if (flyte !== undefined) stops.push(() => flyte.close(DRAIN_MS));

  let closing: Promise<void> | undefined;
  return {
    addresses: { url, grpc: grpcAddress, flyte: flyte === undefined ? undefined : `${config.HOST}:${flyte.port}` },
    core,
    database,
    http,
    graph,
    migrated,
    close() {
      draining = true;
      closing ??= stopAll();
      return closing;
    },
  };
}

/** Flyte's services are open to whoever reaches the port, so with tokens they need a principal that they act as. */
async function startFlyte(config: Config, core: Core, events: Events, log: Logger): Promise<FlyteServer | undefined> {
  if (config.FLYTE_PORT === undefined) return undefined;
  const named: Principal | undefined =
    config.AUTH_MODE === 'none'
      ? SYSTEM
      : config.FLYTE_PRINCIPAL === undefined
        ? undefined
        : {
            subject: config.FLYTE_PRINCIPAL,
            anonymous: false,
            scopes: new Set(SCOPES.filter((s) => s !== 'admin' && s !== 'tasks:admin')),
          };
  if (named === undefined) {
    log.warn(
      'FLYTE_PORT is set, but FLYTE_PRINCIPAL is not: the port stays shut, as it would let anyone use the agents',
    );
    return undefined;
  }
  return startFlyteServer({
    source: registrySource(core.registry, events, named),
    host: config.HOST,
    port: config.FLYTE_PORT,
    log,
  });
}

/** Ends idle connections at once, and those with a request under way after {@link DRAIN_MS}. */
async function closeHttp(http: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => http.server.closeAllConnections(), DRAIN_MS);
  http.server.closeIdleConnections();
  await http.close();
  clearTimeout(timer);
}

const tlsFiles = ({ TLS_CERT, TLS_KEY }: Config): { certFile: string; keyFile: string } | undefined =>
  TLS_CERT !== undefined && TLS_KEY !== undefined ? { certFile: TLS_CERT, keyFile: TLS_KEY } : undefined;

const urlHost = (host: string): string =>
  host.includes(':') && !host.startsWith('[') ? `[${host}]` : host === '0.0.0.0' || host === '::' ? 'localhost' : host;

/** The names under which a server without tokens may be addressed. */
function knownHosts(config: Config): string[] {
  const hosts = ['localhost', '127.0.0.1', '[::1]', urlHost(config.HOST).toLowerCase()];
  if (config.PUBLIC_URL !== undefined) hosts.push(new URL(config.PUBLIC_URL).hostname);
  if (!isLoopback(config.HOST)) hosts.push(hostname().toLowerCase());
  return hosts;
}
