import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { FlyteDeployment } from '../../../src/flyte/routing/deployments.ts';
import { HealthService } from '../../../src/protocol/flyte/generated/grpc/health/v1/health.ts';
import { admin } from './published.ts';

export type Bytes = Buffer<ArrayBufferLike>;
type Unary = handleUnaryCall<Bytes, Bytes>;

const identity = (bytes: Bytes): Bytes => bytes;
const method = (service: string, name: string, requestStream = false, responseStream = false) => ({
  path: `/${service}/${name}`,
  requestStream,
  responseStream,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
});

/** The services as Flyte names them, written out here and not taken from the code under test. */
export const ASYNC = {
  createTask: method('flyteidl.service.AsyncAgentService', 'CreateTask'),
  getTask: method('flyteidl.service.AsyncAgentService', 'GetTask'),
  deleteTask: method('flyteidl.service.AsyncAgentService', 'DeleteTask'),
  getTaskMetrics: method('flyteidl.service.AsyncAgentService', 'GetTaskMetrics'),
  getTaskLogs: method('flyteidl.service.AsyncAgentService', 'GetTaskLogs', false, true),
};
/** The same of the second generation. */
export const CONNECTOR = Object.fromEntries(
  Object.entries(ASYNC).map(([name, each]) => [
    name,
    {
      ...each,
      path: each.path.replace('flyteidl.service.AsyncAgentService', 'flyteidl2.connector.AsyncConnectorService'),
    },
  ]),
) as typeof ASYNC;
export const SYNC = { executeTaskSync: method('flyteidl.service.SyncAgentService', 'ExecuteTaskSync', true, true) };

export const bytesOf = (finished: Uint8Array): Bytes => Buffer.from(finished);

/** A real agent server on loopback, whose answers a test sets and whose requests it reads. */
export class TestDeployment {
  readonly requests: { readonly name: string; readonly bytes: Bytes; readonly call: ServerUnaryCall<Bytes, Bytes> }[] =
    [];
  readonly id: string;
  port = 0;
  #server: Server | undefined;
  #jobs = 0;

  /** Set before the start: it has a health service, which answers this (1 SERVING, 2 NOT_SERVING), or nothing for "hang". */
  health: number | 'hang' | undefined;
  /** How often it was asked for its health. */
  asked = 0;

  createTask: Unary = (_call, callback) => {
    this.#jobs += 1;
    const resourceMeta = Buffer.from(JSON.stringify({ job: `${this.id}-${this.#jobs}` }));
    callback(null, bytesOf(admin.CreateTaskResponse.encode({ resourceMeta }).finish()));
  };
  getTask: Unary = (_call, callback) => {
    const resource = {
      phase: 2,
      message: `from ${this.id}`,
      logLinks: [{ uri: 'http://logs.example/1', name: 'log' }],
    };
    callback(null, bytesOf(admin.GetTaskResponse.encode({ resource }).finish()));
  };
  deleteTask: Unary = (_call, callback) => callback(null, Buffer.alloc(0));
  getTaskMetrics: Unary = (_call, callback) =>
    callback(null, bytesOf(admin.GetTaskMetricsResponse.encode({ results: [{ metric: 'cpu' }] }).finish()));
  getTaskLogs: handleServerStreamingCall<Bytes, Bytes> = (call) => call.end();
  executeTaskSync: handleBidiStreamingCall<Bytes, Bytes> = (call) => {
    call.on('data', (bytes: Bytes) => this.requests.push({ name: 'executeTaskSync', bytes, call: call as never }));
    call.on('end', () => {
      const header = { resource: { phase: 3, message: `from ${this.id}` } };
      call.write(bytesOf(admin.ExecuteTaskSyncResponse.encode({ header }).finish()));
      call.end();
    });
  };

  constructor(id: string) {
    this.id = id;
  }

  /** How many calls of that method came in. */
  count(name: string): number {
    return this.requests.filter((request) => request.name === name).length;
  }

  /** Listens; on the same port as before when it did before. */
  async start(): Promise<this> {
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    const unary =
      (name: 'createTask' | 'getTask' | 'deleteTask' | 'getTaskMetrics'): Unary =>
      (call, callback) => {
        this.requests.push({ name, bytes: call.request, call });
        this[name](call, callback);
      };
    const implementation = {
      createTask: unary('createTask'),
      getTask: unary('getTask'),
      deleteTask: unary('deleteTask'),
      getTaskMetrics: unary('getTaskMetrics'),
      getTaskLogs: (call: Parameters<handleServerStreamingCall<Bytes, Bytes>>[0]) => {
        this.requests.push({ name: 'getTaskLogs', bytes: call.request, call: call as never });
        this.getTaskLogs(call);
      },
    };
    server.addService(ASYNC, implementation);
    server.addService(CONNECTOR, implementation);
    server.addService(SYNC, {
      executeTaskSync: (call: Parameters<handleBidiStreamingCall<Bytes, Bytes>>[0]) => this.executeTaskSync(call),
    });
    if (this.health !== undefined)
      server.addService(
        { check: HealthService.check },
        {
          check: ((_call, callback) => {
            this.asked += 1;
            if (typeof this.health === 'number') callback(null, { status: this.health });
          }) as handleUnaryCall<unknown, object>,
        },
      );
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.port}`, ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    this.#server = server;
    return this;
  }

  stop(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  row(more: Partial<FlyteDeployment> = {}): FlyteDeployment {
    const address = `127.0.0.1:${this.port}`;
    return { id: this.id, address, tls: false, generation: 1, weight: 1, draining: false, healthy: true, ...more };
  }
}
