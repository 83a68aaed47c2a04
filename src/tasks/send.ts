import type { Principal } from '../auth/principal.ts';
import type { Slots } from '../auth/slots.ts';
import type { Database } from '../database/database.ts';
import { RollcallError } from '../errors.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import type { ReachableAgent } from '../registry/registry.ts';
import type { AgentExecutor } from '../upstream/executor.ts';
import type { Executors } from '../upstream/executors.ts';
import type { CalledAgents } from './agents.ts';
import type { Lease } from './claims.ts';
import type { SendIdentity } from './idempotency.ts';
import type { Feed } from './log/feed.ts';
import type { Journal } from './log/journal.ts';
import type { TaskRow } from './model.ts';
import type { Push } from './push/push.ts';
import type { Registration } from './push/registration.ts';
import { foldOf } from './reads.ts';
import type { RecordedTasks } from './recorded/recorded.ts';
import type { Run } from './run.ts';
import type { Runs } from './runs.ts';
import { type SendStart, type SentTask, sentTask, startOf } from './sent-task.ts';

/** What a send may be given besides the request. */
export interface SendOptions {
  /** The dialect it came in; decides how later calls about the task are answered. Default: 1.0. */
  readonly dialect?: string;
  /** A2A extensions that the caller named. */
  readonly extensions?: readonly string[];
  /** The caller's Idempotency-Key: the same key gets the same task, for 24 hours and in any state. */
  readonly idempotencyKey?: string | undefined;
}

/** What the parts of the engine share. */
export interface EngineParts {
  readonly database: Database;
  readonly agents: CalledAgents;
  readonly executors: Executors;
  readonly journal: Journal;
  readonly feed: Feed;
  readonly runs: Runs;
  readonly push: Push;
  /** The tasks that each caller has at work. */
  readonly running: Slots;
  /** Those that run elsewhere. */
  readonly recorded: RecordedTasks;
  readonly lease: Lease;
  /** Aborts when the server begins to stop: no new work is taken. */
  readonly draining: AbortSignal;
  /** Aborts when what is left is stopped. */
  readonly closing: AbortSignal;
}

/** A send whose agent was found. */
export interface Send {
  readonly principal: Principal;
  readonly reachable: ReachableAgent;
  readonly executor: AgentExecutor;
  readonly request: SendRequest;
  readonly options: SendOptions;
  readonly identity: SendIdentity;
  /** The webhook that came with the message. */
  readonly push: Registration | undefined;
}

/**
 * Stores the webhook of a message to a task that is there: before anything else of the message, so that a refusal finds
 * the task as it was, and no event comes in between.
 */
export async function savePush({ database, push }: EngineParts, send: Send, taskId: string): Promise<void> {
  const { push: registration } = send;
  if (registration !== undefined)
    await database.transaction(({ query }) => push.save(send.principal, query, registration, taskId));
}

/** Sends that met a change from elsewhere look again; a change a second would be needed to outlast this. */
export const ATTEMPTS = 5;

export const manyAtOnce = (): RollcallError =>
  new RollcallError('RATE_LIMITED', 'The same message is being sent many times at once; try again shortly.');

export const callOptions = (options: SendOptions, signal: AbortSignal) =>
  options.extensions === undefined ? { signal } : { signal, extensions: options.extensions };

/** The answer of a send that this replica drives. */
export function driven(parts: EngineParts, run: Run, start: SendStart, request: SendRequest): SentTask {
  parts.runs.add(run);
  return sentTask({
    query: parts.database.query,
    feed: parts.feed,
    ids: run.fold.ids,
    configuration: request.configuration,
    start,
    run,
    joined: false,
    closing: parts.closing,
  });
}

/** The answer of a send that repeats another one: the task of that, as it is now and goes on. */
export async function joined(parts: EngineParts, row: TaskRow, request: SendRequest): Promise<SentTask> {
  const { query } = parts.database;
  const fold = await foldOf(query, row);
  return sentTask({
    query,
    feed: parts.feed,
    ids: { id: row.id, contextId: row.contextId },
    configuration: request.configuration,
    start: startOf(fold, row.statusAt),
    run: undefined,
    joined: true,
    closing: parts.closing,
  });
}
