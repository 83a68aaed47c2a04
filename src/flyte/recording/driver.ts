import { Metadata, status } from '@grpc/grpc-js';
import { type ErrorCode, RollcallError } from '../../errors.ts';
import type { JsonObject } from '../../protocol/a2a/model.ts';
import { DeleteTaskRequest, GetTaskRequest } from '../../protocol/flyte/generated/flyteidl/admin/agent.ts';
import type { Job, JobDriver } from '../../tasks/tasks.ts';
import { type CallContext, codeOf } from '../routing/calls.ts';
import type { FlyteGeneration } from '../routing/methods.ts';
import type { TaskCalls } from '../routing/task-calls.ts';
import type { FlyteCategory } from '../source.ts';
import { reportOf } from './report.ts';

/** Milliseconds. */
const ANSWER_MS = 25_000;

/** By what a job is asked for; stored sealed. */
interface Handle {
  /** resource_meta as Flyte holds it, in base64. */
  readonly meta: string;
  readonly outputPrefix: string;
}

export const handleOf = (resourceMeta: Buffer, outputPrefix: string): string =>
  JSON.stringify({ meta: resourceMeta.toString('base64'), outputPrefix } satisfies Handle);

/** The resource_meta of a handle. */
export const metaOf = (handle: string): Buffer => Buffer.from((JSON.parse(handle) as Handle).meta, 'base64');

interface Place {
  readonly generation: FlyteGeneration;
  readonly category: FlyteCategory;
}

const contextOf = (signal: AbortSignal): CallContext => ({
  deadline: Date.now() + ANSWER_MS,
  signal,
  metadata: new Metadata(),
});

function asked({ place, handle }: Job) {
  const { generation, category } = place as JsonObject & Place;
  const { outputPrefix } = JSON.parse(handle() ?? '{}') as Handle;
  // The second generation has no field for the type, and its other numbers are the same.
  const taskType = generation === 1 ? category.name : '';
  return {
    generation,
    request: { taskType, taskCategory: category, resourceMeta: metaOf(handle() ?? '{}'), outputPrefix },
  };
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  [status.DEADLINE_EXCEEDED]: 'UPSTREAM_TIMEOUT',
  [status.CANCELLED]: 'UPSTREAM_TIMEOUT',
  [status.UNAUTHENTICATED]: 'UPSTREAM_UNAUTHORIZED',
  [status.PERMISSION_DENIED]: 'UPSTREAM_UNAUTHORIZED',
  [status.UNAVAILABLE]: 'UPSTREAM_UNREACHABLE',
};

/** Reaches jobs as propeller does: by the same calls, with the stored resource_meta. */
export function jobDriver(calls: Readonly<Record<FlyteGeneration, TaskCalls>>, storesIo: boolean): JobDriver {
  return {
    async poll(job, signal) {
      const { generation, request } = asked(job);
      const bytes = Buffer.from(GetTaskRequest.encode(GetTaskRequest.fromPartial(request)).finish());
      try {
        return reportOf(await calls[generation].getTask(bytes, contextOf(signal)), generation, storesIo);
      } catch (error) {
        if (codeOf(error) === status.NOT_FOUND) return undefined;
        throw error;
      }
    },
    async cancel(job, signal) {
      const { generation, request } = asked(job);
      const { outputPrefix: _, ...deletion } = request;
      const bytes = Buffer.from(DeleteTaskRequest.encode(DeleteTaskRequest.fromPartial(deletion)).finish());
      try {
        await calls[generation].deleteTask(bytes, contextOf(signal));
      } catch (error) {
        if (error instanceof RollcallError) throw error;
        const code = CODES[codeOf(error)] ?? 'UPSTREAM_INVALID';
        throw new RollcallError(
          code,
          `The deployment did not confirm that the job of task ${job.task.id} is deleted.`,
          {
            cause: error,
          },
        );
      }
    },
  };
}
