import idl from '@flyteorg/flyteidl/gen/pb-js/flyteidl.js';
import { type Client, Metadata, type MethodDefinition } from '@grpc/grpc-js';

/** Flyte's own published classes: what propeller and deployments are made of. */
export const { admin } = idl.flyteidl;

export type Bytes = Buffer<ArrayBufferLike>;
export const identity = (bytes: Bytes): Bytes => bytes;
export const bytesOf = (finished: Uint8Array): Bytes => Buffer.from(finished);

const SERVICES = {
  AgentMetadataService: ['ListAgents', 'GetAgent'],
  AsyncAgentService: ['CreateTask', 'GetTask'],
} as const;
export type Method = (typeof SERVICES)[keyof typeof SERVICES][number];

const definition = (path: string): MethodDefinition<Bytes, Bytes> => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
});

/** The methods that the benchmark calls and serves, in bytes. */
export const METHODS = Object.fromEntries(
  Object.entries(SERVICES).flatMap(([service, names]) =>
    names.map((name) => [name, definition(`/flyteidl.service.${service}/${name}`)]),
  ),
) as Record<Method, MethodDefinition<Bytes, Bytes>>;

const DEADLINE_MS = 10_000;

export function call(client: Client, method: Method, request: Bytes): Promise<Bytes> {
  const { path } = METHODS[method];
  const options = { deadline: Date.now() + DEADLINE_MS };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, identity, identity, request, new Metadata(), options, (error, answer) =>
      error === null ? resolve(answer!) : reject(error),
    );
  });
}

/** The category of the deployment's agent. */
export const CATEGORY = { name: 'benchmark', version: 0 };

/** A CreateTaskRequest as propeller fills it: a run of its own, so that none is taken for a repeated one. */
export const createRequest = (run: string): Bytes =>
  bytesOf(
    admin.CreateTaskRequest.encode({
      inputs: { literals: { x: { scalar: { primitive: { stringValue: 'seven' } } } } },
      template: { type: CATEGORY.name, taskTypeVersion: CATEGORY.version, config: { size: 'small' } },
      outputPrefix: 's3://bucket/out',
      taskExecutionMetadata: {
        taskExecutionId: {
          taskId: { project: 'benchmark', domain: 'development', name: 'task', version: 'v1' },
          nodeExecutionId: { nodeId: 'n0', executionId: { project: 'benchmark', domain: 'development', name: run } },
          retryAttempt: 0,
        },
      },
    }).finish(),
  );

export const getRequest = (resourceMeta: Uint8Array): Bytes =>
  bytesOf(admin.GetTaskRequest.encode({ resourceMeta, taskCategory: CATEGORY }).finish());

export const resourceMetaOf = (answer: Bytes): Bytes => {
  const { resourceMeta } = admin.CreateTaskResponse.decode(answer);
  if (resourceMeta.length === 0) throw new Error('CreateTask answered without resource_meta');
  return bytesOf(resourceMeta);
};

/** What the deployment answers to every GetTask: running, with a message and a link, as real ones do. */
export const RUNNING: Bytes = bytesOf(
  admin.GetTaskResponse.encode({
    resource: {
      phase: 2,
      message: 'running on 4 workers',
      logLinks: [{ uri: 'https://logs.example/benchmark/1', name: 'log' }],
    },
  }).finish(),
);
