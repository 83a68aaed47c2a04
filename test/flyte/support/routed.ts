import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { AgentRegistry } from '../../../src/flyte/agents/agent-registry.ts';
import type { DeploymentSource, FlyteRouteRow } from '../../../src/flyte/routing/deployments.ts';
import type { RoutingOptions } from '../../../src/flyte/routing/routing.ts';
import { startFlyteServer } from '../../../src/flyte/server.ts';
import type { Cleanup } from '../../support/cleanup.ts';
import { ASYNC, type Bytes, TestDeployment } from './deployment.ts';
import { recordedLog } from './log.ts';
import { admin, connectPublished } from './published.ts';
import { RowSource } from './rows.ts';

/** Routes that a test sets. */
export class RouteSource implements DeploymentSource {
  rows: readonly FlyteRouteRow[];
  readonly #listeners = new Set<() => void>();
  constructor(rows: readonly FlyteRouteRow[]) {
    this.rows = rows;
  }
  list(): Promise<readonly FlyteRouteRow[]> {
    return Promise.resolve(this.rows);
  }
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  change(rows: readonly FlyteRouteRow[]): void {
    this.rows = rows;
    for (const listener of this.#listeners) listener();
  }
}

export const route = (deployments: FlyteRouteRow['deployments'], more: Partial<FlyteRouteRow> = {}): FlyteRouteRow => ({
  agent: 'Spark Agent',
  isSync: false,
  active: true,
  categories: [{ name: 'spark', version: 0 }],
  deployments,
  ...more,
});

/** Routes by which each agent of a process has its own category, as the registry has them once they are announced. */
export const ownRoutes = (agents: AgentRegistry): RoutingOptions => ({
  source: new RouteSource(
    agents.all().map(({ name, isSync, category }) => ({ ...route([]), agent: name, isSync, categories: [category] })),
  ),
  connect: ({ address }) => {
    throw new Error(`There is no deployment at ${address}.`);
  },
});

/** A deployment that runs until the test has ended. */
export async function deployment(id: string, cleanup: Cleanup): Promise<TestDeployment> {
  const started = await new TestDeployment(id).start();
  cleanup(() => started.stop());
  return started;
}

/** A server that routes over these rows, and clients of it. */
export async function startRouted(
  rows: readonly FlyteRouteRow[],
  cleanup: Cleanup,
  more: Partial<RoutingOptions> = {},
) {
  const log = recordedLog();
  const routes = new RouteSource(rows);
  const opened: string[] = [];
  const server = await startFlyteServer({
    source: new RowSource([]),
    host: '127.0.0.1',
    port: 0,
    log,
    routing: {
      source: routes,
      connect: ({ address }) => {
        opened.push(address);
        return new Client(address, credentials.createInsecure(), {
          'grpc.initial_reconnect_backoff_ms': 50,
          'grpc.max_reconnect_backoff_ms': 200,
          // Each test's channels are its own.
          'grpc.use_local_subchannel_pool': 1,
        });
      },
      ...more,
    },
  });
  const published = connectPublished(server.port);
  cleanup(() => {
    published.close();
    return server.close(0);
  });
  /** A call in bytes. */
  const raw = (
    method: keyof typeof ASYNC,
    request: Bytes,
    { deadlineMs = 5_000, metadata = new Metadata(), service = ASYNC } = {},
  ): Promise<Bytes> & { cancel(): void } => {
    const { path, requestSerialize, responseDeserialize } = service[method];
    const { promise, resolve, reject } = Promise.withResolvers<Bytes>();
    const options = { deadline: Date.now() + deadlineMs };
    const call = published.client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
      (error, response) => (error === null ? resolve(response ?? Buffer.alloc(0)) : reject(error)),
    );
    return Object.assign(promise, { cancel: () => call.cancel() });
  };
  return { server, log, routes, opened, published, asyncService: published.asyncService, raw };
}

export const failure = (promise: Promise<unknown>): Promise<ServiceError> =>
  promise.then(
    () => Promise.reject(new Error('the call succeeded')),
    (error: ServiceError) => error,
  );

/** A CreateTaskRequest for spark, as propeller fills it. */
export const createRequest = (more: { type?: string; version?: number; attempt?: number; run?: string } = {}) => ({
  inputs: { literals: { x: { scalar: { primitive: { stringValue: 'seven' } } } } },
  template: { type: more.type ?? 'spark', taskTypeVersion: more.version ?? 0, config: { a: 'b' } },
  outputPrefix: 's3://bucket/out',
  taskExecutionMetadata:
    more.run === undefined
      ? null
      : {
          taskExecutionId: {
            taskId: { project: 'p', domain: 'd', name: 'task', version: 'v1' },
            nodeExecutionId: { nodeId: 'n0', executionId: { project: 'p', domain: 'd', name: more.run } },
            retryAttempt: more.attempt ?? 0,
          },
        },
});

export const encodeCreate = (request: ReturnType<typeof createRequest>): Bytes =>
  Buffer.from(admin.CreateTaskRequest.encode(request).finish());

export const SPARK = { taskCategory: { name: 'spark', version: 0 } };
