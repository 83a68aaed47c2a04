import {
  type CategoryKey,
  createTaskView,
  executeTaskSyncView,
  type JobView,
  jobView,
} from '../../protocol/flyte/routing-views.ts';
import { isEngineMeta } from '../agents/engine/meta.ts';
import type { FlyteRouteRow } from './deployments.ts';
import { CATEGORY_FIELDS, type FlyteGeneration, type JobOperation } from './methods.ts';
import type { TaskCalls } from './task-calls.ts';

/** A task that is about to become a job. */
export interface NewJob {
  readonly generation: FlyteGeneration;
  readonly agentId: string;
  readonly category: CategoryKey;
  /** One attempt of one task of one run; undefined when the caller does not say. */
  readonly executionKey: string | undefined;
  readonly request: Buffer;
}

/** A task that is about to be done at once. */
export interface NewSyncTask {
  readonly agentId: string;
  readonly category: CategoryKey;
  /** The first message: what is to be done, without its inputs. */
  readonly header: Buffer;
}

/** Hears of one task that is done at once. */
export interface SyncRecord {
  /** A message of the answer. @param deploymentId who gave it, if a deployment did */
  answered(message: Buffer, deploymentId?: string): void;
  /** The call ended, with the error if there was one. Further calls do nothing. */
  ended(error?: unknown): void;
}

/** Hears of the jobs that are routed. None of it may hold up or fail a call about a job that exists. */
export interface TaskRecorder {
  /** Runs `dispatch`, and answers its answer, or that of an earlier call for the same attempt. */
  create(job: NewJob, dispatch: () => Promise<Buffer>): Promise<Buffer>;
  /** A caller asked for a job, and got this answer. */
  answered(generation: FlyteGeneration, job: JobView, response: Buffer): void;
  /** A job was deleted. */
  deleted(generation: FlyteGeneration, job: JobView): void;
  /** A task is done at once. Nothing waits for its record. */
  perform(task: NewSyncTask): SyncRecord;
  /** Gives the way to the jobs, for those that nobody asks for. */
  start(calls: Readonly<Record<FlyteGeneration, TaskCalls>>): void;
  /** Writes what is left, and asks for no more jobs. */
  stop(): Promise<void>;
}

/** The record of a task that is done at once; undefined for one that will be refused, and for agents that are in no registry. */
export function recordedSync(
  header: Buffer,
  route: (category: CategoryKey) => FlyteRouteRow | undefined,
  recorder: TaskRecorder,
): SyncRecord | undefined {
  const { category } = executeTaskSyncView(header);
  const owner = route(category);
  if (owner?.agentId === undefined || !owner.isSync || !owner.active) return undefined;
  return recorder.perform({ agentId: owner.agentId, category, header });
}

/**
 * Calls that a recorder hears of. Tasks that an agent of the registry is sent as messages are none of its: the task engine
 * has them already.
 *
 * @param route the present route of a category
 */
export function recordedCalls(
  calls: TaskCalls,
  generation: FlyteGeneration,
  route: (category: CategoryKey) => FlyteRouteRow | undefined,
  recorder: TaskRecorder,
): TaskCalls {
  const about = (operation: JobOperation, request: Buffer, heard: (job: JobView) => void): void => {
    try {
      const job = jobView(request, CATEGORY_FIELDS[operation]);
      if (!isEngineMeta(job.resourceMeta)) heard(job);
    } catch {
      // A deployment may answer anything. Its answer was passed on as it is, and says nothing that could be recorded.
    }
  };
  return {
    async createTask(request, context) {
      const dispatch = (): Promise<Buffer> => calls.createTask(request, context);
      const { category, executionKey } = createTaskView(request);
      const owner = route(category);
      // What will be refused is no task.
      if (owner?.agentId === undefined || owner.engineAgentId !== undefined || owner.isSync || !owner.active) {
        return dispatch();
      }
      return recorder.create({ generation, agentId: owner.agentId, category, executionKey, request }, dispatch);
    },
    async getTask(request, context) {
      const response = await calls.getTask(request, context);
      // After the answer is on its way: nobody waits for the record.
      setImmediate(about, 'getTask', request, (job) => recorder.answered(generation, job, response));
      return response;
    },
    async deleteTask(request, context) {
      const response = await calls.deleteTask(request, context);
      setImmediate(about, 'deleteTask', request, (job) => recorder.deleted(generation, job));
      return response;
    },
  };
}
