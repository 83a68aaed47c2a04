import { status } from '@grpc/grpc-js';
import { RollcallError } from '../../errors.ts';
import { pinMeta, unpinMeta } from '../../protocol/flyte/pinned-meta.ts';
import {
  type CreateView,
  createdMeta,
  createTaskView,
  jobView,
  withCreatedMeta,
  withJobMeta,
} from '../../protocol/flyte/routing-views.ts';
import type { FlyteLog } from '../source.ts';
import { type CallContext, codeOf, isPassing, quickUnary, retrying, unary, upstreamDeadline } from './calls.ts';
import type { FlyteDeployment, FlyteRouteRow } from './deployments.ts';
import { type Dispatcher, type Line, nameOf, timeoutOf } from './dispatcher.ts';
import type { LastKnown } from './last-known.ts';
import { ASYNC_SERVICES, type AsyncMethod, CATEGORY_FIELDS, type JobOperation } from './methods.ts';
import type { Once } from './once.ts';

const DELETED: Buffer = Buffer.alloc(0);

interface Job {
  readonly deployment: FlyteDeployment;
  readonly category: string;
  /** As the caller sent it. */
  readonly resourceMeta: Buffer;
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
    const route = this.#dispatcher.routeForNew(category, false);
    const create = (signal: AbortSignal): Promise<Buffer> => this.#create(request, route, { ...context, signal });
    if (executionKey === undefined) return create(context.signal);
    return this.#creations.run(`${nameOf(category)} ${executionKey}`, context.signal, create);
  }

  async #create(request: Buffer, route: FlyteRouteRow, context: CallContext): Promise<Buffer> {
    const line = await this.#dispatcher.toNew(route, 'createTask', context);
    // Once it is sent it is not sent again: no answer does not mean no job.
    const response = await this.#call(line, 'createTask', request);
    const meta = pinMeta({ deploymentId: line.deployment.id, meta: createdMeta(response) });
    this.#lastKnown.created(meta);
    return withCreatedMeta(response, meta);
  }

  /** GetTask: retried, and answered with the job's last known phase when its deployment stays silent. */
  async getTask(request: Buffer, context: CallContext): Promise<Buffer> {
    const job = this.#job('getTask', request);
    try {
      const response = await this.#repeat('getTask', job, context);
      this.#lastKnown.remember(job.resourceMeta, response);
      return response;
    } catch (error) {
      const code = codeOf(error);
      if (context.signal.aborted || !isPassing(code)) throw error;
      const reason = `The agent's deployment does not answer at the moment (${status[code]}): this is the last known phase.`;
      const known = this.#lastKnown.recall(job.resourceMeta, reason);
      if (known === undefined) throw error;
      const { id, address } = job.deployment;
      this.#log.warn({ deployment: id, address, category: job.category, code }, 'Flyte GetTask answered from memory');
      return known;
    }
  }

  /** DeleteTask: retried. A job that its deployment does not know is deleted already. */
  async deleteTask(request: Buffer, context: CallContext): Promise<Buffer> {
    const job = this.#job('deleteTask', request);
    const response = await this.#repeat('deleteTask', job, context).catch((error: unknown) => {
      if (codeOf(error) === status.NOT_FOUND) return DELETED;
      throw error;
    });
    this.#lastKnown.forget(job.resourceMeta);
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
    const giveUp = upstreamDeadline(context.deadline, timeoutOf(job.deployment, 'getTaskLogs'));
    const line = await retrying(connect, (code) => code === status.UNAVAILABLE, giveUp, context.signal);
    return { line, request: job.request };
  }

  /** A line for ExecuteTaskSync. The caller streams, then calls {@link ended}. */
  async openSync({ category }: CreateView, context: CallContext): Promise<Line> {
    return this.#dispatcher.toNew(this.#dispatcher.routeForNew(category, true), 'executeTaskSync', context);
  }

  /** Tells how a stream over a line ended. */
  ended(line: Line, error?: unknown): void {
    this.#dispatcher.ended(line, error);
  }

  #job(operation: JobOperation, request: Buffer): Job {
    const { category, resourceMeta } = jobView(request, CATEGORY_FIELDS[operation]);
    const route = this.#dispatcher.route(category);
    if (route.isSync) this.#dispatcher.routeForNew(category, false);
    const pin = unpinMeta(resourceMeta);
    // Jobs of before, or of a deployment that is gone, are asked for where an agent's other deployments can find them.
    const deployment =
      route.deployments.find(({ id }) => id === pin?.deploymentId) ??
      route.deployments.find((each) => each.healthy && !each.draining) ??
      route.deployments[0];
    if (deployment === undefined) {
      throw new RollcallError('UPSTREAM_UNREACHABLE', `Agent "${route.agent}" has no deployment.`);
    }
    return {
      deployment,
      category: nameOf(category),
      resourceMeta,
      request: pin === undefined ? request : withJobMeta(request, pin.meta),
    };
  }

  /** A call that may be made several times: connects and sends until it succeeds, time runs out or the failure is final. */
  #repeat(operation: Exclude<JobOperation, 'getTaskLogs'>, job: Job, context: CallContext): Promise<Buffer> {
    const attempt = async (): Promise<Buffer> =>
      this.#call(await this.#dispatcher.to(job.deployment, operation, context), operation, job.request);
    const giveUp = upstreamDeadline(context.deadline, timeoutOf(job.deployment, operation));
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
