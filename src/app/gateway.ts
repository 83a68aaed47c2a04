import type { Logger } from 'pino';
import { createAuthenticator } from '../auth/authenticator.ts';
import type { Config } from '../config.ts';
import { gatewayContext } from '../gateway/host/context.ts';
import type { GraphStatus } from '../gateway/live/live-graph.ts';
import { addHealthRoutes } from '../http/health.ts';
import { createMetrics } from '../http/metrics.ts';
import { addMetricsRoute } from '../http/metrics-route.ts';
import { knownHosts } from './addresses.ts';
import { configuredGate } from './gate.ts';
import { addGraphDoors } from './graph.ts';
import { closeHttp, configuredHttp, configuredTracing, openHttp } from './http.ts';
import { Stops } from './stops.ts';

/** A running gateway of remote subgraphs. */
export interface GatewayApp {
  /** Ends in "/". */
  readonly url: string;
  readonly status: GraphStatus;
  /** Resolves once the first graph is served; never rejects, as the sources are read until they make one. */
  readonly loaded: Promise<void>;
  close(): Promise<void>;
}

/** Pause between tries for the first graph. */
const FIRST_GRAPH_RETRY_MS = 500;

/**
 * The graph of SUBGRAPHS or SUPERGRAPH alone: no registry, no database, no other doors. Listens at once, and answers
 * GRAPH_NOT_LOADED until there is a graph: an orchestrator that starts everything together needs no order.
 */
export async function startGateway(config: Config, log: Logger): Promise<GatewayApp> {
  const stops = new Stops(log);
  try {
    return await start(config, log, stops);
  } catch (error) {
    await stops.all();
    throw error;
  }
}

async function start(config: Config, log: Logger, stops: Stops): Promise<GatewayApp> {
  const authenticator = createAuthenticator(config);
  const metrics = createMetrics();
  const tracing = configuredTracing(config);
  if (tracing !== undefined) stops.foundation(() => tracing.close());
  const http = configuredHttp(config, { log, metrics, authenticator });
  const gate = configuredGate(config, authenticator, metrics);
  let draining = false;
  const doors = await addGraphDoors({
    config,
    http,
    gate,
    metrics,
    tracing,
    log,
    contextOf: gatewayContext,
  });
  stops.foundation(() => doors.close());
  addHealthRoutes(http, [doors.ready], () => draining);
  addMetricsRoute(http, { metrics, gate, token: config.METRICS_TOKEN });
  const loaded = keepLoading(doors.live, () => draining);
  const url = await openHttp(http, config);
  const closeSockets = doors.openSockets(knownHosts(config));
  stops.door(async () => {
    await closeSockets();
    await closeHttp(http);
  });
  return {
    url,
    loaded,
    get status() {
      return doors.live.status;
    },
    close() {
      draining = true;
      return stops.all();
    },
  };
}

/** Reads the sources until they make a graph, then follows them. */
async function keepLoading(
  live: Awaited<ReturnType<typeof addGraphDoors>>['live'],
  isDraining: () => boolean,
): Promise<void> {
  while (!live.status.loaded && !isDraining()) {
    await live.refresh();
    if (!live.status.loaded) await new Promise((resolve) => setTimeout(resolve, FIRST_GRAPH_RETRY_MS));
  }
  if (!isDraining()) live.start();
}
