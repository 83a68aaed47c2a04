import type { FlyteCategory } from '../source.ts';
import type { FlyteGeneration } from './methods.ts';

/** What can be asked of a deployment. */
export type FlyteOperation =
  | 'createTask'
  | 'getTask'
  | 'deleteTask'
  | 'getTaskMetrics'
  | 'getTaskLogs'
  | 'executeTaskSync';

/** How to reach a deployment. */
export interface FlyteEndpoint {
  /** `host:port`. */
  readonly address: string;
  readonly tls: boolean;
}

/** One running copy of an agent. */
export interface FlyteDeployment extends FlyteEndpoint {
  /**
   * Goes into resource_meta: jobs are polled and deleted where they were created. A deployment that cannot answer for
   * the jobs of its predecessor needs another id. At most 255 bytes.
   */
  readonly id: string;
  /** Whose services it has: flyteidl (1) or flyteidl2 (2). */
  readonly generation: FlyteGeneration;
  /** Share of new tasks, relative to the other deployments' weights; 0 takes none. */
  readonly weight: number;
  /** Takes no new tasks; its jobs are still polled and deleted. */
  readonly draining: boolean;
  /** False when a check found it unfit for new tasks. What calls find out by themselves is kept apart, in memory. */
  readonly healthy: boolean;
  /** Milliseconds; instead of {@link OPERATION_TIMEOUTS_MS}. A caller's own deadline holds when it is earlier. */
  readonly timeoutsMs?: Partial<Record<FlyteOperation, number>>;
}

/** An agent, as far as routing goes. */
export interface FlyteRouteRow {
  readonly agent: string;
  readonly isSync: boolean;
  /** False: new tasks are refused; those that run go on. */
  readonly active: boolean;
  readonly categories: readonly FlyteCategory[];
  readonly deployments: readonly FlyteDeployment[];
  /** The agent's id in the registry; without it its tasks are not recorded. */
  readonly agentId?: string;
  /** The agent's id where the task engine takes its tasks: it has no deployment, and is reached in another way. */
  readonly engineAgentId?: string;
}

/** Where the router gets its rows. Read into memory: no call waits for it. */
export interface DeploymentSource {
  /** Every agent that has a task category, inactive ones included. */
  list(): Promise<readonly FlyteRouteRow[]>;
  /** Calls the listener after each change of what `list` answers; the result unsubscribes. */
  onChange(listener: () => void): () => void;
}

/** How long an operation may take when neither caller nor deployment says so. */
export const OPERATION_TIMEOUTS_MS: Readonly<Record<FlyteOperation, number>> = {
  createTask: 60_000,
  getTask: 10_000,
  deleteTask: 30_000,
  getTaskMetrics: 30_000,
  getTaskLogs: 600_000,
  executeTaskSync: 300_000,
};
