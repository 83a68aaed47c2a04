import { randomUUID } from 'node:crypto';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { listen } from '../listen.ts';
import { admin, type Bytes, bytesOf, RUNNING } from '../wire.ts';

/** A Flyte agent service that does no work: each task is a new job, and every job runs. */
const createTask: handleUnaryCall<Bytes, Bytes> = (_call, callback) => {
  const resourceMeta = Buffer.from(JSON.stringify({ job: randomUUID() }));
  callback(null, bytesOf(admin.CreateTaskResponse.encode({ resourceMeta }).finish()));
};
const getTask: handleUnaryCall<Bytes, Bytes> = (_call, callback) => callback(null, RUNNING);
listen({ CreateTask: createTask, GetTask: getTask });
