import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { MIGRATIONS } from '../migrations/index.ts';
import { addCardRoutes } from './a2a/card-routes.ts';
import { startA2aGrpc } from './a2a/grpc/server.ts';
import { addA2aRoutes } from './a2a/routes.ts';
import { knownHosts, opening, tlsFiles, urlHost } from './app/addresses.ts';
import { configuredSigner } from './app/card-signer.ts';
import { createCore } from './app/core.ts';
import { announceFlyteAgents, flyteStanding, startFlyte } from './app/flyte.ts';
import { localFlyteAgents } from './app/flyte-agents.ts';
import { configuredGate } from './app/gate.ts';
import { addGraphDoors } from './app/graph.ts';
import { grpcMeter } from './app/grpc.ts';
import { closeHttp, configuredHttp, configuredTracing, DRAIN_MS, openHttp } from './app/http.ts';
import { mmcloudAgents } from './app/mmcloud.ts';
import { measurePush } from './app/push.ts';
import { registryContext, registrySubgraph } from './app/registry-graph.ts';
import { Stops } from './app/stops.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import type { Config } from './config.ts';
import { type Database, type DatabaseOptions, openDatabase } from './database/database.ts';
import type { LocalAgent } from './flyte/agents/agent.ts';
import type { Graph } from './gateway/host/graph.ts';
import type { Core } from './graphql/context.ts';
import { addHealthRoutes, type ReadinessCheck } from './http/health.ts';
import { addJwksRoute } from './http/jwks.ts';
import { createMetrics } from './http/metrics.ts';
import { addMetricsRoute } from './http/metrics-route.ts';
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
export interface StartOptions extends Pick<DatabaseOptions, 'template'> {
  /** Flyte agents of this process, besides those of FLYTE_AGENTS. */
  readonly flyteAgents?: readonly LocalAgent[];
}

/** Builds everything, in order, and listens. What was started is stopped again when a later step fails. */
export async function startApp(config: Config, log: Logger, more: StartOptions = {}): Promise<App> {
  const stops = new Stops(log);
  try {
    return await start(config, log, more, stops);
  } catch (error) {
    await stops.all();
    throw error;
  }
}

async function start(config: Config, log: Logger, more: StartOptions, stops: Stops): Promise<App> {
  // Before anything is opened: a module that is wrong ends the start at once.
  const flyteAgents = await localFlyteAgents(config, [...mmcloudAgents(config, log), ...(more.flyteAgents ?? [])]);
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR, ...more });
  stops.foundation(() => database.close());
  const migrated = await database.migrate();

  const authenticator = createAuthenticator(config);
  const metrics = createMetrics();
  const tls = tlsFiles(config);
  const signer = await configuredSigner(config);
  let draining = false;
  let publicUrl = config.PUBLIC_URL ?? '';
  let publicGrpcUrl = config.PUBLIC_GRPC_URL;
  const {
    core: base,
    egress,
    stops: coreStops,
  } = createCore(
    config,
    database,
    log,
    () => ({
      publicUrl,
      publicGrpcUrl,
      auth: authenticator.mode === 'jwt' ? 'bearer' : 'none',
    }),
    signer,
  );
  stops.foundation(...coreStops.toReversed());
  const core: Core = { ...base, flyte: flyteStanding(config, flyteAgents) };
  // Only the start that made the tables: an agent that was deleted since must not come back with a later migration.
  if (migrated.includes(MIGRATIONS[0]!.name)) await registerEchoAgent(core.registry);
  await announceFlyteAgents(core, flyteAgents);

  const gate = configuredGate(config, authenticator, metrics, { denied: core.registry.denied });
  const http = configuredHttp(config, { log, metrics, authenticator });
  const tracing = configuredTracing(config);
  if (tracing !== undefined) stops.foundation(() => tracing.close());
  const local = registrySubgraph(config);
  const graphDoors = await addGraphDoors({
    config,
    local,
    contextOf: registryContext(core),
    http,
    gate,
    metrics,
    tracing,
    log,
  });
  stops.foundation(() => graphDoors.close());
  await graphDoors.live.load();
  graphDoors.live.start();
  addJwksRoute(http, [core.tasks.push.publicKeys, async () => (signer === undefined ? [] : [signer.publicKey])]);
  measurePush(metrics, core.tasks.push);
  addCardRoutes(http, { cards: core.cards, gate });
  addA2aRoutes(http, { ...core, gate, log, maxBodyBytes: config.MAX_BODY_BYTES });
  const databaseAnswers: ReadinessCheck = {
    name: 'database',
    async check() {
      await database.query('select 1');
      return undefined;
    },
  };
  addHealthRoutes(http, [databaseAnswers, graphDoors.ready], () => draining);
  addMetricsRoute(http, { metrics, gate, token: config.METRICS_TOKEN });

  const url = await openHttp(http, config);
  const closeSockets = graphDoors.openSockets(knownHosts(config));
  stops.door(async () => {
    await closeSockets();
    await closeHttp(http);
  });
  publicUrl ||= url;
  // Only now is it known in whose name push notifications are signed.
  core.tasks.push.wake();

  const grpcOptions = {
    gate,
    log,
    host: config.HOST,
    port: config.GRPC_PORT,
    maxBodyBytes: config.MAX_BODY_BYTES,
    tls,
    onCall: grpcMeter(metrics),
  };
  const grpc = await opening('GRPC_PORT', config.GRPC_PORT, startA2aGrpc({ ...core, ...grpcOptions }));
  stops.door(() => grpc.close(DRAIN_MS));
  const grpcAddress = `${urlHost(config.HOST)}:${grpc.port}`;
  publicGrpcUrl ??= grpcAddress;

  const flyte = await opening(
    'FLYTE_PORT',
    config.FLYTE_PORT ?? 0,
    startFlyte(config, { core, egress, agents: flyteAgents, gate, metrics, log }),
  );
  if (flyte !== undefined) stops.door(() => flyte.close(DRAIN_MS));

  return {
    addresses: { url, grpc: grpcAddress, flyte: flyte === undefined ? undefined : `${config.HOST}:${flyte.port}` },
    core,
    database,
    http,
    graph: graphDoors.graph,
    migrated,
    close() {
      draining = true;
      return stops.all();
    },
  };
}
