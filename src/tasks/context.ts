import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import type { Events } from '../events/events.ts';
import type { Registry } from '../registry/registry.ts';
import type { Executors } from '../upstream/executors.ts';

/** What the task engine stands on. */
export interface TasksOptions {
  readonly database: Database;
  readonly events: Events;
  readonly registry: Registry;
  readonly executors: Executors;
  readonly log: Logger;
  /** This process, among those that share the database: a UUID of its own for each start. */
  readonly replicaId: string;
  /** Batches of writes at the same time; 2 on PostgreSQL, 1 on the embedded database, which has one connection. */
  readonly lanes?: number;
  /** How long a task stays this replica's without renewal; renewed three times in it. Milliseconds, 30,000 unless said. */
  readonly leaseMs?: number;
  /** False for a process that is about to end, such as a command: it takes over nobody's work. Default: true. */
  readonly recovery?: boolean;
  /** How long `close` waits for work in progress before it leaves it to the next start. Milliseconds. */
  readonly drainMs?: number;
}
