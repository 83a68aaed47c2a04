import type { AgentError, TaskExecutionMetadata } from '../../protocol/flyte/generated/flyteidl/admin/agent.ts';
import type { TaskExecution_Phase, TaskLog } from '../../protocol/flyte/generated/flyteidl/core/execution.ts';
import type { LiteralMap } from '../../protocol/flyte/generated/flyteidl/core/literals.ts';
import type { TaskTemplate } from '../../protocol/flyte/generated/flyteidl/core/tasks.ts';
import type { FlyteCategory } from '../source.ts';

/** What a task is to do. */
export interface AgentTask {
  readonly template: TaskTemplate;
  readonly inputs: LiteralMap | undefined;
  readonly outputPrefix: string;
  readonly metadata: TaskExecutionMetadata | undefined;
  /**
   * Names one attempt of one task of one run: a create that is repeated with it must begin no second job. Undefined when
   * the caller does not say.
   */
  readonly executionKey: string | undefined;
}

/** How a job stands. */
export interface AgentResource {
  /** Never UNDEFINED: propeller would read a failure. */
  readonly phase: Exclude<TaskExecution_Phase, typeof TaskExecution_Phase.UNDEFINED>;
  readonly message?: string;
  readonly outputs?: LiteralMap;
  readonly logLinks?: readonly Pick<TaskLog, 'name' | 'uri'>[];
  readonly customInfo?: Readonly<Record<string, unknown>>;
  readonly error?: AgentError;
}

/** One metric of a job; `data` as Prometheus answers a range query. */
export interface AgentMetric {
  readonly metric: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One page of a job's log. */
export interface AgentLogs {
  readonly lines: readonly string[];
  /** Where the next page begins; empty on the last one. */
  readonly token: string;
}

/** Metadata by which an agent finds its job again: it travels to Flyte and back as JSON. */
export type ResourceMeta = Readonly<Record<string, unknown>>;

/** An agent that runs inside this process and whose tasks are jobs. Errors other than RollcallError reach the log alone. */
export abstract class AsyncAgent<Meta extends ResourceMeta = ResourceMeta> {
  readonly isSync = false as const;
  /** Unique among agents: the name under which Flyte knows it. */
  abstract readonly name: string;
  /** For people: what the registry shows. */
  readonly description?: string;
  abstract readonly category: FlyteCategory;
  /** Starts a job. The signal is aborted when the caller cancels or its time is over. */
  abstract create(task: AgentTask, signal: AbortSignal): Promise<Meta>;
  abstract get(meta: Meta, signal: AbortSignal): Promise<AgentResource>;
  /** Ends a job. Succeeds for one that has ended, or that is not known: callers repeat it. */
  abstract delete(meta: Meta, signal: AbortSignal): Promise<void>;
  /** Checks what comes back from Flyte. @throws RollcallError INVALID_INPUT */
  abstract parseMeta(value: unknown): Meta;
  /** Metrics by name; all when none is named. */
  getMetrics?(meta: Meta, queries: readonly string[], signal: AbortSignal): Promise<readonly AgentMetric[]>;
  /** @param limit lines wanted; 0 for as many as there are */
  getLogs?(meta: Meta, limit: number, token: string, signal: AbortSignal): Promise<AgentLogs>;
}

/** An agent that runs inside this process and answers at once. */
export abstract class SyncAgent {
  readonly isSync = true as const;
  /** Unique among agents: the name under which Flyte knows it. */
  abstract readonly name: string;
  /** For people: what the registry shows. */
  readonly description?: string;
  abstract readonly category: FlyteCategory;
  /** Gives the result: a final phase, outputs included. */
  abstract do(task: AgentTask, signal: AbortSignal): Promise<AgentResource>;
}

/** Either. */
export type LocalAgent = AsyncAgent | SyncAgent;
