import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { RollcallError } from '../errors.ts';
import { type Gate, originOf } from './gate.ts';
import type { Metrics } from './metrics.ts';

/** What `/metrics` stands behind. */
export interface MetricsRouteOptions {
  readonly metrics: Metrics;
  readonly gate: Gate;
  /** What a scraper must present as its bearer token; undefined: whoever reaches the path reads it. */
  readonly token: string | undefined;
}

/** `/metrics`: Prometheus text. Counted by address, as it costs more than a look at the health does. */
export function addMetricsRoute(app: FastifyInstance, { metrics, gate, token }: MetricsRouteOptions): void {
  app.get('/metrics', async (request, reply) => {
    gate.countAddress(originOf(request));
    if (token !== undefined && !isSame(request.headers.authorization ?? '', `Bearer ${token}`)) {
      gate.refused('UNAUTHENTICATED', 'metrics');
      throw new RollcallError('UNAUTHENTICATED', 'Metrics are for who presents METRICS_TOKEN as a bearer token.');
    }
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
/** In a time that says nothing of where they differ. */
const isSame = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted));
