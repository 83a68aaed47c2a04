import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { MIGRATIONS } from '../migrations/index.ts';
import { addCardRoutes } from './a2a/card-routes.ts';
import { startA2aGrpc } from './a2a/grpc/server.ts';
import { addA2aRoutes } from './a2a/routes.ts';
import { knownHosts, opening, tlsFiles, urlHost } from './app/addresses.ts';
import { createCore } from './app/core.ts';
import { startFlyte } from './app/flyte.ts';
import { addGraphDoors } from './app/graph.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import type { Config } from './config.ts';
import { type Database, type DatabaseOptions, openDatabase } from './database/database.ts';
import type { Graph } from './gateway/host/graph.ts';
import type { Core } from './graphql/context.ts';
import { addHealthRoutes } from './http/health.ts';
import { createMetrics } from './http/metrics.ts';
import { createHttpServer, listen } from './http/server.ts';
import { registerEchoAgent } from './registry/first-start.ts';

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

type Stop = () => Promise<void>;

/** Requests under way when the server stops get this long. */
const DRAIN_MS = 3_000;

/** Builds everything, in order, and listens. What was started is stopped again when a later step fails. */
export async function startApp(config: Config, log: Logger, more: StartOptions = {}): Promise<App> {
  // Doors close together, so that their patience does not add up; then what they stand on, the last built first.
  const doors: Stop[] = [];
  const foundations: Stop[] = [];
  const end = (stop: Stop): Promise<void> =>
    stop().catch((error: unknown) => log.error({ err: error }, 'a part did not stop cleanly'));
  const stopAll = async (): Promise<void> => {
    await Promise.all(doors.map(end));
    for (const stop of foundations.toReversed()) await end(stop);
  };
  try {
    return await start(config, log, more, { doors, foundations, stopAll });
  } catch (error) {
    await stopAll();
    throw error;
  }
}

interface Stops {
  readonly doors: Stop[];
  readonly foundations: Stop[];
  readonly stopAll: Stop;
}

async function start(config: Config, log: Logger, more: StartOptions, stops: Stops): Promise<App> {
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR, ...more });
  stops.foundations.push(() => database.close());
  const migrated = await database.migrate();

  const authenticator = createAuthenticator(config);
  const metrics = createMetrics();
  const hosts = knownHosts(config);
  const tls = tlsFiles(config);
  let draining = false;
  let publicUrl = config.PUBLIC_URL ?? '';
  let publicGrpcUrl = config.PUBLIC_GRPC_URL;
  const { core, stops: coreStops } = createCore(config, database, log, () => ({
    publicUrl,
    publicGrpcUrl,
    auth: authenticator.mode === 'jwt' ? 'bearer' : 'none',
  }));
  stops.foundations.push(...coreStops.toReversed());
  // Only the start that made the tables: an agent that was deleted since must not come back with a later migration.
  if (migrated.includes(MIGRATIONS[0]!.name)) await registerEchoAgent(core.registry);

  const http = createHttpServer({
    log,
    metrics,
    authenticator,
    maxBodyBytes: config.MAX_BODY_BYTES,
    trustProxy: config.TRUST_PROXY,
    hosts,
    corsOrigins: config.CORS_ORIGINS,
    tls,
  });
  const graphDoors = await addGraphDoors({ config, core, http, authenticator, metrics, log });
  stops.foundations.push(() => graphDoors.close());
  addCardRoutes(http, { cards: core.cards, authenticator });
  addA2aRoutes(http, { ...core, authenticator, log, maxBodyBytes: config.MAX_BODY_BYTES });
  const databaseAnswers = { name: 'database', check: async () => void (await database.query('select 1')) };
  addHealthRoutes(http, [databaseAnswers], metrics, () => draining);

  const port = await opening('PORT', config.PORT, listen(http, config.HOST, config.PORT));
  const closeSockets = graphDoors.openSockets(hosts);
  stops.doors.push(async () => {
    await closeSockets();
    await closeHttp(http);
  });
  const url = `${tls === undefined ? 'http' : 'https'}://${urlHost(config.HOST)}:${port}/`;
  publicUrl ||= url;

  const grpcOptions = {
    authenticator,
    log,
    host: config.HOST,
    port: config.GRPC_PORT,
    maxBodyBytes: config.MAX_BODY_BYTES,
    tls,
  };
  const grpc = await opening('GRPC_PORT', config.GRPC_PORT, startA2aGrpc({ ...core, ...grpcOptions }));
  stops.doors.push(() => grpc.close(DRAIN_MS));
  const grpcAddress = `${urlHost(config.HOST)}:${grpc.port}`;
  publicGrpcUrl ??= grpcAddress;

  const flyte = await opening('FLYTE_PORT', config.FLYTE_PORT ?? 0, startFlyte(config, core, log));
  if (flyte !== undefined) stops.doors.push(() => flyte.close(DRAIN_MS));

  let closing: Promise<void> | undefined;
  return {
    addresses: { url, grpc: grpcAddress, flyte: flyte === undefined ? undefined : `${config.HOST}:${flyte.port}` },
    core,
    database,
    http,
    graph: graphDoors.graph,
    migrated,
    close() {
      draining = true;
      closing ??= stops.stopAll();
      return closing;
    },
  };
}

/** Ends idle connections at once, and those with a request under way after {@link DRAIN_MS}. */
async function closeHttp(http: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => http.server.closeAllConnections(), DRAIN_MS);
  http.server.closeIdleConnections();
  await http.close();
  clearTimeout(timer);
}
