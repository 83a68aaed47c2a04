import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createFlyteMetrics } from './flyte-metrics.ts';

/** Everything that `/metrics` shows. docs/operations.md lists each of them; a test compares the two. */
export type Metrics = ReturnType<typeof createMetrics>;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Metrics of one server: a registry of its own, so that two servers in one process do not mix. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  let readPushBacklog: () => Promise<number> = async () => 0;
  new Gauge({
    name: 'rollcall_push_backlog',
    help: 'Push notifications that wait to be delivered, in the whole database',
    registers,
    async collect() {
      // The other metrics are wanted most when the database is away.
      this.set(await readPushBacklog().catch(() => Number.NaN));
    },
  });
  return {
    registry,
    http: new Histogram({
      name: 'rollcall_http_request_seconds',
      help: 'Duration of HTTP requests',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    }),
    grpc: new Histogram({
      name: 'rollcall_grpc_request_seconds',
      help: 'Duration of gRPC calls',
      labelNames: ['service', 'method', 'code'],
      buckets: SECONDS,
      registers,
    }),
    flyteTask: createFlyteMetrics(registers, SECONDS),
    graphql: new Histogram({
      name: 'rollcall_graphql_operation_seconds',
      help: 'Duration of GraphQL operations over HTTP',
      labelNames: ['operation', 'type', 'outcome'],
      buckets: SECONDS,
      registers,
    }),
    subgraphs: new Histogram({
      name: 'rollcall_subgraph_request_seconds',
      help: 'Duration of requests to remote subgraphs',
      labelNames: ['subgraph', 'outcome'],
      buckets: SECONDS,
      registers,
    }),
    graphReads: new Counter({
      name: 'rollcall_graph_reads_total',
      help: 'Readings of what the graph is made from, by outcome: unchanged, swapped, failed',
      labelNames: ['outcome'],
      registers,
    }),
    graphStale: new Gauge({
      name: 'rollcall_graph_stale',
      help: '1 while the newest definition of the graph cannot be served, and an older graph is',
      registers,
    }),
    push: new Histogram({
      name: 'rollcall_push_delivery_seconds',
      help: 'Duration of attempts to deliver a push notification, by outcome: delivered, retrying, failed',
      labelNames: ['outcome'],
      buckets: [...SECONDS, 15],
      registers,
    }),
    /** Says where the backlog of push notifications is read, when the metrics are. */
    measurePushBacklog(read: () => Promise<number>): void {
      readPushBacklog = read;
    },
    refusals: new Counter({
      name: 'rollcall_refusals_total',
      help: 'Refusals of what callers may not do or ask too often, by code and door',
      labelNames: ['code', 'door'],
      registers,
    }),
    operationNames: new OperationNames(),
    sockets: new Gauge({ name: 'rollcall_graphql_sockets', help: 'Open GraphQL WebSockets', registers }),
  };
}

/** Callers choose the names of their operations: beyond this many, further ones count together. */
const MOST_NAMES = 200;

/** Names of operations as labels, so that no caller can fill the memory with series. */
export class OperationNames {
  readonly #known = new Set<string>();

  label(name: string | null | undefined): string {
    if (name == null || name === '') return 'anonymous';
    if (this.#known.has(name)) return name;
    if (this.#known.size >= MOST_NAMES || name.length > 100) return 'other';
    this.#known.add(name);
    return name;
  }
}
