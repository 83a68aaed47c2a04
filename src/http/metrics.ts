import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Everything that `/metrics` shows. docs/operations.md lists each of them; a test compares the two. */
export type Metrics = ReturnType<typeof createMetrics>;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Metrics of one server: a registry of its own, so that two servers in one process do not mix. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    http: new Histogram({
      name: 'rollcall_http_request_seconds',
      help: 'Duration of HTTP requests',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    }),
    graphql: new Histogram({
      name: 'rollcall_graphql_operation_seconds',
      help: 'Duration of GraphQL operations over HTTP',
      labelNames: ['type', 'outcome'],
      buckets: SECONDS,
      registers,
    }),
    sockets: new Gauge({ name: 'rollcall_graphql_sockets', help: 'Open GraphQL WebSockets', registers }),
  };
}
