import { RollcallError, toRollcallError } from '../../errors.ts';
import { decoded } from '../../protocol/flyte/decode.ts';
import {
  CreateTaskRequest,
  CreateTaskResponse,
  ExecuteTaskSyncRequest,
  ExecuteTaskSyncResponse,
  GetTaskLogsRequest,
  GetTaskLogsResponse,
  GetTaskMetricsRequest,
  GetTaskMetricsResponse,
  GetTaskResponse,
  Resource,
} from '../../protocol/flyte/generated/flyteidl/admin/agent.ts';
import { createTaskView, executeTaskSyncView, type JobView, jobView } from '../../protocol/flyte/routing-views.ts';
import { type CallContext, codeOf, isPassing, upstreamDeadline } from '../routing/calls.ts';
import { type FlyteOperation, OPERATION_TIMEOUTS_MS } from '../routing/deployments.ts';
import { jobKey } from '../routing/job-key.ts';
import { type LastKnown, TERMINAL_PHASES } from '../routing/last-known.ts';
import { CATEGORY_FIELDS, type JobOperation } from '../routing/methods.ts';
import type { Once } from '../routing/once.ts';
import type { FlyteCategory, FlyteLog } from '../source.ts';
import type { AgentResource, AgentTask, AsyncAgent, LocalAgent, ResourceMeta } from './agent.ts';
import type { AgentDirectory } from './directory.ts';
import { STATES } from './phases.ts';

/** Their callers are of the first generation. */
const keyOf = (job: JobView): string => jobKey(1, job);

const bytesOf = (writer: { finish(): Uint8Array }): Buffer => Buffer.from(writer.finish());

/** Serves the agents of a directory to Flyte's first generation: bytes in, bytes out. */
export class LocalAgents {
  readonly #directory: AgentDirectory;
  readonly #lastKnown: LastKnown;
  readonly #creations: Once;
  readonly #log: FlyteLog;

  constructor(directory: AgentDirectory, lastKnown: LastKnown, creations: Once, log: FlyteLog) {
    this.#directory = directory;
    this.#lastKnown = lastKnown;
    this.#creations = creations;
    this.#log = log;
  }

  ownsNew(request: Buffer): boolean {
    return this.#directory.forNew(createTaskView(request).category) !== undefined;
  }

  ownsSync(header: Buffer): boolean {
    return this.#directory.forNew(executeTaskSyncView(header).category) !== undefined;
  }

  ownsJob(operation: JobOperation, request: Buffer): boolean {
    const { category, resourceMeta } = jobView(request, CATEGORY_FIELDS[operation]);
    return this.#directory.forJob(category, resourceMeta) !== undefined;
  }

  async createTask(request: Buffer, context: CallContext): Promise<Buffer> {
    const { category, executionKey } = createTaskView(request);
    const agent = asyncAgent(category, this.#directory.forNew(category));
    this.#refuseInactive(agent, category);
    const { template, inputs, outputPrefix, taskExecutionMetadata } = decoded(CreateTaskRequest, request);
    if (template === undefined)
      throw new RollcallError('INVALID_INPUT', 'template: is missing.', { field: 'template' });
    const task: AgentTask = { template, inputs, outputPrefix, metadata: taskExecutionMetadata, executionKey };
    const create = async (signal: AbortSignal): Promise<Buffer> => {
      const meta = await this.#run(agent, 'createTask', { ...context, signal }, (inTime) => agent.create(task, inTime));
      const resourceMeta = this.#written(agent, meta);
      this.#lastKnown.created(keyOf({ category, resourceMeta }));
      return bytesOf(CreateTaskResponse.encode({ resourceMeta }));
    };
    if (executionKey === undefined) return create(context.signal);
    return this.#creations.run(`${category.name} ${category.version} ${executionKey}`, context.signal, create);
  }

  /** GetTask; answered with the last known phase when the agent fails in a way that passes. */
  async getTask(request: Buffer, context: CallContext): Promise<Buffer> {
    const { agent, meta, key } = this.#job('getTask', request);
    try {
      const resource = await this.#run(agent, 'getTask', context, (signal) => agent.get(meta, signal));
      const response = bytesOf(GetTaskResponse.encode({ resource: toResource(agent, resource) }));
      this.#lastKnown.remember(key, response);
      return response;
    } catch (error) {
      if (context.signal.aborted || !isPassing(codeOf(error))) throw error;
      const known = this.#lastKnown.recall(key, `${toRollcallError(error).message} This is the last known phase.`);
      if (known === undefined) throw error;
      this.#log.warn({ err: error, agent: agent.name }, 'Flyte GetTask answered from memory');
      return known;
    }
  }

  async deleteTask(request: Buffer, context: CallContext): Promise<Buffer> {
    const { agent, meta, key } = this.#job('deleteTask', request);
    await this.#run(agent, 'deleteTask', context, (signal) => agent.delete(meta, signal));
    this.#lastKnown.forget(key);
    return Buffer.alloc(0);
  }

  async getTaskMetrics(request: Buffer, context: CallContext): Promise<Buffer> {
    const { agent, meta } = this.#job('getTaskMetrics', request);
    const { queries } = decoded(GetTaskMetricsRequest, request);
    const results = await this.#run(agent, 'getTaskMetrics', context, async (signal) =>
      agent.getMetrics === undefined ? unsupported(agent, 'metrics') : agent.getMetrics(meta, queries, signal),
    );
    return bytesOf(GetTaskMetricsResponse.encode(GetTaskMetricsResponse.fromPartial({ results: [...results] })));
  }

  /** The messages of the answer: the lines, then where the next page begins. */
  async getTaskLogs(request: Buffer, context: CallContext): Promise<readonly Buffer[]> {
    const { agent, meta } = this.#job('getTaskLogs', request);
    const { lines: limit, token: from } = decoded(GetTaskLogsRequest, request);
    const { lines, token } = await this.#run(agent, 'getTaskLogs', context, async (signal) =>
      agent.getLogs === undefined ? unsupported(agent, 'logs') : agent.getLogs(meta, Number(limit), from, signal),
    );
    const structuredLines = lines.map((message) => ({ message }));
    const part = (value: NonNullable<GetTaskLogsResponse['part']>): Buffer =>
      bytesOf(GetTaskLogsResponse.encode(GetTaskLogsResponse.fromPartial({ part: value })));
    return [
      part({ $case: 'body', value: { results: [...lines], structuredLines: structuredLines as never } }),
      part({ $case: 'header', value: { token } }),
    ];
  }

  /** @param messages the header, then the inputs; the result is one message that holds everything, for propeller reads no second */
  async executeTaskSync(messages: readonly Buffer[], context: CallContext): Promise<Buffer> {
    const [first = Buffer.alloc(0), ...rest] = messages;
    const { category, executionKey } = executeTaskSyncView(first);
    const agent = known(category, this.#directory.forNew(category));
    if (!agent.isSync) throw mismatch(agent.name, 'async', 'CreateTask');
    this.#refuseInactive(agent, category);
    const opening = decoded(ExecuteTaskSyncRequest, first).part;
    const header = opening?.$case === 'header' ? opening.value : undefined;
    if (header?.template === undefined) throw new RollcallError('INVALID_INPUT', 'header.template: is missing.');
    const inputs = rest
      .map((each) => decoded(ExecuteTaskSyncRequest, each).part)
      .findLast((part) => part?.$case === 'inputs');
    const task: AgentTask = {
      template: header.template,
      inputs: inputs?.$case === 'inputs' ? inputs.value : undefined,
      outputPrefix: header.outputPrefix,
      metadata: header.taskExecutionMetadata,
      executionKey,
    };
    const resource = await this.#run(agent, 'executeTaskSync', context, (signal) => agent.do(task, signal));
    if (!TERMINAL_PHASES.has(resource?.phase)) {
      throw new RollcallError('UPSTREAM_INVALID', `Agent "${agent.name}" gave a result that is not final.`);
    }
    const res = { $case: 'header', value: { resource: toResource(agent, resource) } } as const;
    return bytesOf(ExecuteTaskSyncResponse.encode({ res }));
  }

  #refuseInactive({ name }: LocalAgent, category: FlyteCategory): void {
    if (!this.#directory.isActive(category))
      throw new RollcallError('AGENT_INACTIVE', `Agent "${name}" is inactive: it takes no new tasks.`);
  }

  /** An agent's code; what it throws unforeseen goes to the log, for it may hold anything. */
  async #run<T>(
    agent: LocalAgent,
    operation: FlyteOperation,
    context: CallContext,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await within(operation, context, work);
    } catch (error) {
      if (error instanceof RollcallError || context.signal.aborted) throw error;
      this.#log.error({ err: error, agent: agent.name, operation }, 'Flyte agent failed');
      throw new RollcallError('INTERNAL', 'The agent failed; the log has the details.', { cause: error });
    }
  }

  /** What create answered, as resource_meta. */
  #written(agent: AsyncAgent, meta: ResourceMeta): Buffer {
    let cause: unknown;
    try {
      const json: string | undefined = JSON.stringify(meta);
      if (json !== undefined) return Buffer.from(json, 'utf8');
    } catch (error) {
      cause = error;
    }
    const text = `Agent "${agent.name}" created a job whose metadata cannot be written as JSON.`;
    const refusal = new RollcallError('UPSTREAM_INVALID', text, { cause });
    this.#log.error({ err: refusal, agent: agent.name, operation: 'createTask' }, 'Flyte agent failed');
    throw refusal;
  }

  #job(operation: JobOperation, request: Buffer): { agent: AsyncAgent; meta: ResourceMeta; key: string } {
    const job = jobView(request, CATEGORY_FIELDS[operation]);
    const { category, resourceMeta } = job;
    const agent = asyncAgent(category, this.#directory.forJob(category, resourceMeta));
    return { agent, meta: agent.parseMeta(parseJson(resourceMeta)), key: keyOf(job) };
  }
}

function parseJson(resourceMeta: Buffer): unknown {
  try {
    return JSON.parse(resourceMeta.toString('utf8'));
  } catch {
    throw new RollcallError('INVALID_INPUT', 'resource_meta: is not what CreateTask gave.', { field: 'resource_meta' });
  }
}

/** An agent may have been unregistered since it was asked whether there is one. */
function known(category: FlyteCategory, agent: LocalAgent | undefined): LocalAgent {
  if (agent !== undefined) return agent;
  throw new RollcallError('NOT_FOUND', `Cannot find agent for task category: ${category.name}_v${category.version}.`);
}

function asyncAgent(category: FlyteCategory, found: LocalAgent | undefined): AsyncAgent {
  const agent = known(category, found);
  if (agent.isSync) throw mismatch(agent.name, 'sync', 'ExecuteTaskSync');
  return agent;
}

const mismatch = (name: string, kind: string, method: string): RollcallError =>
  new RollcallError(
    'FAILED_PRECONDITION',
    `"${name}" is ${kind === 'async' ? 'an async' : 'a sync'} agent: call ${method}.`,
  );

const unsupported = (agent: AsyncAgent, what: string): never => {
  throw new RollcallError('METHOD_NOT_FOUND', `Agent "${agent.name}" has no ${what}.`);
};

/** What the agent answers is checked: its code may be JavaScript, which no compiler has seen. */
function toResource({ name }: LocalAgent, resource: AgentResource): Resource {
  if (!(resource?.phase > 0 && Object.hasOwn(STATES, resource.phase))) {
    throw new RollcallError('UPSTREAM_INVALID', `Agent "${name}" gave a job whose field "phase" is none of Phase.`);
  }
  return Resource.fromPartial({
    state: STATES[resource.phase],
    phase: resource.phase,
    message: resource.message ?? '',
    outputs: resource.outputs,
    logLinks: [...(resource.logLinks ?? [])],
    customInfo: resource.customInfo,
    agentError: resource.error,
  });
}

/** Runs an agent's code until it ends, the caller cancels or the operation's time is over, even if it heeds no signal. */
async function within<T>(
  operation: FlyteOperation,
  context: CallContext,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const left = upstreamDeadline(context.deadline, OPERATION_TIMEOUTS_MS[operation]) - Date.now();
  const late = new RollcallError('UPSTREAM_TIMEOUT', 'The agent did not answer in time.');
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(late), Math.max(0, left));
  const signal = AbortSignal.any([context.signal, timer.signal]);
  const stopped = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => stopped.reject(signal.reason), { once: true });
  try {
    return await Promise.race([run(signal), stopped.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
