import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import type { Events } from '../events/events.ts';
import type { Registry } from '../registry/registry.ts';
import type { Executors } from '../upstream/executors.ts';
import type { PushOptions } from './push/push.ts';

/** How much one caller may have at the same time. */
export interface TaskLimits {
  /** Tasks at work on this server. */
  readonly runningTasks: number;
  /** Webhooks that still deliver, to all tasks together. */
  readonly pushConfigs: number;
}

/** What the task engine stands on. */
export interface TasksOptions {
  readonly database: Database;
  readonly events: Events;
  readonly registry: Registry;
  readonly executors: Executors;
  readonly push: PushOptions;
  readonly log: Logger;
  /** This process, among those that share the database: a UUID of its own for each start. */
  readonly replicaId: string;
  /** Batches of writes at the same time; 1 unless said. */
  readonly lanes?: number;
  /** How long a task stays this replica's without renewal; renewed three times in it. Milliseconds, 30,000 unless said. */
  readonly leaseMs?: number;
  /**
   * True where no other process can be at work on this database: what an earlier one left is taken over at once, not when
   * its leases end. Default: false.
   */
  readonly alone?: boolean;
  /** False for a process that is about to end, such as a command: it takes over nobody's work. Default: true. */
  readonly recovery?: boolean;
  /** How long nobody may ask for a task that runs elsewhere before Rollcall does; five minutes unless said. Milliseconds. */
  readonly silenceMs?: number;
  /** How long a task's log is kept entry by entry after its end; 0, the default: for ever. Milliseconds. */
  readonly logRetentionMs?: number;
  /** How long the audit log is kept; 0, the default: for ever. Milliseconds. */
  readonly auditRetentionMs?: number;
  /** How much each caller may have at the same time; 0, the default: as much as they like. */
  readonly limits?: TaskLimits;
  /** How long `close` waits for work in progress before it leaves it to the next start. Milliseconds. */
  readonly drainMs?: number;
}
