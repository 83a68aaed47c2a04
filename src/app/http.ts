import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Config } from '../config.ts';
import type { Metrics } from '../http/metrics.ts';
import { createHttpServer, listen } from '../http/server.ts';
import { createTracing, type Tracing } from '../telemetry.ts';
import { knownHosts, opening, tlsFiles, urlHost } from './addresses.ts';

/** Requests under way when the server stops get this long. */
export const DRAIN_MS = 3_000;

/** The HTTP host of the configuration, not listening yet. */
export function configuredHttp(
  config: Config,
  parts: { readonly log: Logger; readonly metrics: Metrics; readonly authenticator: Authenticator },
): FastifyInstance {
  return createHttpServer({
    ...parts,
    maxBodyBytes: config.MAX_BODY_BYTES,
    trustProxy: config.TRUST_PROXY,
    hosts: knownHosts(config),
    corsOrigins: config.CORS_ORIGINS,
    tls: tlsFiles(config),
  });
}

/** Traces, where OTEL_EXPORTER_OTLP_ENDPOINT says where to. */
export const configuredTracing = ({ OTEL_EXPORTER_OTLP_ENDPOINT }: Config): Tracing | undefined =>
  OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? undefined : createTracing(OTEL_EXPORTER_OTLP_ENDPOINT);

/** Listens where the configuration says. Answers the URL, ending in "/". */
export async function openHttp(http: FastifyInstance, config: Config): Promise<string> {
  const port = await opening('PORT', config.PORT, listen(http, config.HOST, config.PORT));
  return `${config.TLS_CERT === undefined ? 'http' : 'https'}://${urlHost(config.HOST)}:${port}/`;
}

/** Ends idle connections at once, and those with a request under way after {@link DRAIN_MS}. */
export async function closeHttp(http: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => http.server.closeAllConnections(), DRAIN_MS);
  http.server.closeIdleConnections();
  await http.close();
  clearTimeout(timer);
}
