import { status } from '@grpc/grpc-js';
import { pinMeta, unpinMeta } from '../../protocol/flyte/pinned-meta.ts';
import {
  type CategoryKey,
  type CreateView,
  createdMeta,
  createTaskView,
  type JobView,
  jobView,
  withCreatedMeta,
  withJobMeta,
} from '../../protocol/flyte/routing-views.ts';
import type { FlyteLog } from '../source.ts';
import { type CallContext, codeOf, isPassing, quickUnary, retrying, retryUntil, unary } from './calls.ts';
import type { FlyteDeployment } from './deployments.ts';
import { type Dispatcher, type Line, nameOf, timeoutOf } from './dispatcher.ts';
import { jobKey } from './job-key.ts';
import type { LastKnown } from './last-known.ts';
import { ASYNC_SERVICES, type AsyncMethod, CATEGORY_FIELDS, type JobOperation } from './methods.ts';
import type { Once } from './once.ts';

const DELETED: Buffer = Buffer.alloc(0);

/** No new try of GetTask begins later: propeller asks again, and the answer from memory must not cost its time. */
const GET_TASK_PATIENCE_MS = 3_000;

/**
 * The caller's deadline for GetTask, less what an answer from memory needs to arrive in time: a fifth of what is left.
 * What other calls leave may be a few milliseconds.
 */
const toAnswerFromMemory = (deadline: number): number =>
  deadline - Math.min(500, Math.max(0, (deadline - Date.now()) / 5));

interface Job {
  readonly deployment: FlyteDeployment;
  /** For the deployment: with its own resource_meta. */
  readonly request: Buffer;
}

/**
 * Sends each call of one generation's callers to the deployment that owns its task category, or that made its job.
 * Requests and answers are bytes.
 */
export class FlyteRouter {
  readonly #dispatcher: Dispatcher;
  readonly #lastKnown: LastKnown;
  readonly #creations: Once;
  readonly #log: FlyteLog;

  constructor(dispatcher: Dispatcher, lastKnown: LastKnown, creations: Once, log: FlyteLog) {
    this.#dispatcher = dispatcher;
    this.#lastKnown = lastKnown;
    this.#creations = creations;
    this.#log = log;
  }

  /** CreateTask. One attempt of one task creates one job, however often it is asked for. */
  async createTask(request: Buffer, context: CallContext): Promise<Buffer> {
    const { category, executionKey } = createTaskView(request);
    // What is refused now is refused even if the attempt's job exists.
    this.#dispatcher.routeForNew(category, false);
    const create = (signal: AbortSignal): Promise<Buffer> => this.#create(request, category, { ...context, signal });
    if (executionKey === undefined) return create(context.signal);
    return this.#creations.run(`${nameOf(category)} ${executionKey}`, context.signal, create);
  }

  async #create(request: Buffer, category: CategoryKey, context: CallContext): Promise<Buffer> {
    const line = await this.#dispatcher.toNew(category, false, 'createTask', context);
    // Once it is sent it is not sent again: no answer does not mean no job.
    const response = await this.#call(line, 'createTask', request);
    const { id, address } = line.deployment;
    const meta = pinMeta({ deploymentId: id, meta: createdMeta(response, address) });
    this.#lastKnown.created(jobKey(this.#dispatcher.generation, { category, resourceMeta: meta }));
    return withCreatedMeta(response, meta);
  }

  /** GetTask: retried, and answered with the job's last known phase when its deployment stays silent or is gone. */
  async getTask(request: Buffer, context: CallContext): Promise<Buffer> {
    const view = jobView(request, CATEGORY_FIELDS.getTask);
    const key = jobKey(this.#dispatcher.generation, view);
    let deployment: FlyteDeployment | undefined;
    try {
      const job = this.#find(view, request);
      deployment = job.deployment;
      const response = await this.#repeat('getTask', job, {
        ...context,
        deadline: toAnswerFromMemory(context.deadline),
      });
      this.#lastKnown.remember(key, response);
      return response;
    } catch (error) {
      const code = codeOf(error);
      if (context.signal.aborted || !isPassing(code)) throw error;
      const why = deployment === undefined ? 'is not registered any more' : 'does not answer at the moment';
      const reason = `The agent's deployment ${why} (${status[code]}): this is the last known phase.`;
      const known = this.#lastKnown.recall(key, reason);
      if (known === undefined) throw error;
      const { id, address } = deployment ?? {};
      const category = nameOf(view.category);
      this.#log.warn({ deployment: id, address, category, code }, 'Flyte GetTask answered from memory');
      return known;
    }
  }

  /** DeleteTask: retried. A job that its deployment does not know is deleted already. */
  async deleteTask(request: Buffer, context: CallContext): Promise<Buffer> {
    const view = jobView(request, CATEGORY_FIELDS.deleteTask);
    const job = this.#find(view, request);
    const response = await this.#repeat('deleteTask', job, context).catch((error: unknown) => {
      if (codeOf(error) === status.NOT_FOUND) return DELETED;
      throw error;
    });
    this.#lastKnown.forget(jobKey(this.#dispatcher.generation, view));
    return response;
  }

  /** GetTaskMetrics: retried. */
  async getTaskMetrics(request: Buffer, context: CallContext): Promise<Buffer> {
    return this.#repeat('getTaskMetrics', this.#job('getTaskMetrics', request), context);
  }

  /** A line for GetTaskLogs, and the request to send over it. The caller streams, then calls {@link ended}. */
  async openLogs(request: Buffer, context: CallContext): Promise<{ readonly line: Line; readonly request: Buffer }> {
    const job = this.#job('getTaskLogs', request);
    const connect = (): Promise<Line> => this.#dispatcher.to(job.deployment, 'getTaskLogs', context);
    const giveUp = retryUntil(context.deadline, timeoutOf(job.deployment, 'getTaskLogs'));
    const line = await retrying(connect, (code) => code === status.UNAVAILABLE, giveUp, context.signal);
    return { line, request: job.request };
  }

  /** A line for ExecuteTaskSync. The caller streams, then calls {@link ended}. */
  async openSync({ category }: CreateView, context: CallContext): Promise<Line> {
    return this.#dispatcher.toNew(category, true, 'executeTaskSync', context);
  }

  /** Tells how a stream over a line ended. */
  ended(line: Line, error?: unknown): void {
    this.#dispatcher.ended(line, error);
  }

  #job(operation: JobOperation, request: Buffer): Job {
    return this.#find(jobView(request, CATEGORY_FIELDS[operation]), request);
  }

  #find(view: JobView, request: Buffer): Job {
    const pin = unpinMeta(view.resourceMeta);
    if (pin === undefined) return { deployment: this.#dispatcher.anyOf(view.category), request };
    return { deployment: this.#dispatcher.creator(pin.deploymentId), request: withJobMeta(request, pin.meta) };
  }

  /** A call that may be made several times: connects and sends until it succeeds, time runs out or the failure is final. */
  #repeat(operation: Exclude<JobOperation, 'getTaskLogs'>, job: Job, context: CallContext): Promise<Buffer> {
    const attempt = async (): Promise<Buffer> =>
      this.#call(await this.#dispatcher.to(job.deployment, operation, context), operation, job.request);
    const patience = operation === 'getTask' ? GET_TASK_PATIENCE_MS : Number.POSITIVE_INFINITY;
    const giveUp = retryUntil(context.deadline, Math.min(patience, timeoutOf(job.deployment, operation)));
    return retrying(attempt, isPassing, giveUp, context.signal);
  }

  async #call(line: Line, operation: AsyncMethod, request: Buffer): Promise<Buffer> {
    const { path } = ASYNC_SERVICES[this.#dispatcher.generation][operation];
    try {
      // A connection that closes may refuse a call untouched. grpc's client then sends it again, and so does the router,
      // but for CreateTask.
      const send = operation === 'createTask' ? unary : quickUnary;
      const response = await send(line.use.client, path, request, line.context);
      this.#dispatcher.ended(line);
      return response;
    } catch (error) {
      this.#dispatcher.ended(line, error);
      throw error;
    }
  }
}
