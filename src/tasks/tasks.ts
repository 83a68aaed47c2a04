import { setTimeout as delay } from 'node:timers/promises';
import type { Principal } from '../auth/principal.ts';
import type { Task } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import { requireScope } from '../registry/visibility.ts';
import { visibleTask } from './access.ts';
import { CalledAgents } from './agents.ts';
import { cancelTask } from './cancel.ts';
import type { TasksOptions } from './context.ts';
import { Feed } from './feed.ts';
import { Journal } from './journal.ts';
import type { TaskRow, TaskStreamItem } from './model.ts';
import { foldOf } from './reads.ts';
import { Runs } from './runs.ts';
import { Sender, type SenderParts, type SendOptions } from './sender.ts';
import type { SentTask } from './sent-task.ts';
import { subscribeTo } from './subscribe.ts';

export type { TasksOptions } from './context.ts';
export type { TaskRow, TaskStreamItem } from './model.ts';
export type { SendOptions } from './sender.ts';
export type { SentTask } from './sent-task.ts';

/** A task as it is stored: its row, and the task of the model made from its log. */
export interface TaskDetails {
  readonly row: TaskRow;
  /** Its status, history and artifacts stand for the log up to `sequence`. */
  readonly task: Task;
  readonly sequence: number;
}

/** The task engine's face. Every call takes the principal first. */
export type Tasks = ReturnType<typeof createTasks>;

const DRAIN_MS = 10_000;
const NEVER = new AbortController().signal;

/** Builds the task engine on its foundations. `close` drains it. */
export function createTasks(options: TasksOptions) {
  const { database, events, registry, executors, replicaId, log } = options;
  const { query } = database;
  const closing = new AbortController();
  const feed = new Feed(events);
  const agents = new CalledAgents(registry, events);
  const journal = new Journal(query, feed, {
    lanes: options.lanes ?? (database.kind === 'postgres' ? 2 : 1),
    batch: 256,
    queue: 20_000,
  });
  const runs = new Runs((run) => {
    if (run.stopped !== undefined) return;
    registry.usage.record(run.agentId, run.fold.state === 'failed');
  });
  const parts: SenderParts = { query, agents, executors, journal, feed, runs, replicaId, closing: closing.signal };
  const sender = new Sender(parts);

  return {
    /**
     * Sends a message to an agent: a new task, or another message of the task that `message.taskId` names. Resolves when
     * it is stored; its work goes on from there, whether anyone waits or not.
     *
     * @throws RollcallError INVALID_INPUT, UNAUTHENTICATED, FORBIDDEN (scope tasks:send), NOT_FOUND (no such agent),
     *   AGENT_INACTIVE, AGENT_NOT_REACHABLE, TASK_NOT_FOUND, UNSUPPORTED_OPERATION (the task has ended), SHUTTING_DOWN.
     */
    send: (principal: Principal, agentId: string, request: SendRequest, more: SendOptions = {}): Promise<SentTask> =>
      sender.send(principal, agentId, request, more),

    /** @throws RollcallError TASK_NOT_FOUND, UNAUTHENTICATED, FORBIDDEN (scope tasks:read). */
    async get(
      principal: Principal,
      id: string,
      request: { readonly historyLength?: number | undefined } = {},
    ): Promise<TaskDetails> {
      requireScope(principal, 'tasks:read');
      const row = await visibleTask(query, principal, id);
      const fold = await foldOf(query, row);
      return { row, task: fold.snapshot(request.historyLength), sequence: fold.sequence };
    },

    /** @throws as {@link cancelTask}, and UNAUTHENTICATED, FORBIDDEN (scope tasks:send). */
    cancel: (principal: Principal, id: string): Promise<Task> => cancelTask(parts, principal, id),

    /**
     * The events of a task, live, until a terminal state or the signal. See {@link subscribeTo} for cursors.
     *
     * @throws RollcallError TASK_NOT_FOUND, INVALID_INPUT (cursor), UNAUTHENTICATED, FORBIDDEN (scope tasks:read).
     */
    async subscribe(
      principal: Principal,
      id: string,
      request: { readonly after?: number | undefined; readonly signal?: AbortSignal } = {},
    ): Promise<AsyncGenerator<TaskStreamItem>> {
      requireScope(principal, 'tasks:read');
      const row = await visibleTask(query, principal, id);
      const signal = AbortSignal.any([closing.signal, request.signal ?? NEVER]);
      return subscribeTo(query, feed, row, request.after, signal);
    },

    /**
     * Takes no more work, waits for what is in progress up to `drainMs`, and leaves the rest to whoever recovers it: a
     * task of a stopped run is not failed.
     */
    async close(): Promise<void> {
      const running = Promise.all(runs.all().map((run) => run.over));
      const timeout = new AbortController();
      const late = delay(options.drainMs ?? DRAIN_MS, undefined, { signal: timeout.signal }).catch(() => undefined);
      await Promise.race([running, late]);
      timeout.abort();
      closing.abort();
      const left = runs.all();
      if (left.length > 0) log.info({ tasks: left.length }, 'unfinished tasks are left to recovery');
      await Promise.all(left.map((run) => run.stop('closing')));
      await journal.drained();
      agents.close();
    },
  };
}
