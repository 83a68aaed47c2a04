import { setTimeout as delay } from 'node:timers/promises';
import type { Principal } from '../auth/principal.ts';
import { Slots } from '../auth/slots.ts';
import { isUuid } from '../database/ids.ts';
import type { Task } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import { requireScope } from '../registry/visibility.ts';
import { visibleTask } from './access.ts';
import { CalledAgents } from './agents.ts';
import { taskBatches } from './batches.ts';
import { recordCall } from './calls.ts';
import { cancelTask } from './cancel.ts';
import type { TaskChange } from './change-buffer.ts';
import { LEASE_MS, type Lease } from './claims.ts';
import { taskOfClientId } from './client-ids.ts';
import type { TasksOptions } from './context.ts';
import { endTasksOfDeletedAgents } from './deleted-agents.ts';
import type { TaskFilter } from './filter.ts';
import { countTasks, listTasks, type TaskListRequest, taskContentsById, tasksById } from './list.ts';
import { Feed } from './log/feed.ts';
import { Journal } from './log/journal.ts';
import type { TaskRow, TaskStreamItem } from './model.ts';
import { createPush } from './push/push.ts';
import { foldOf } from './reads.ts';
import { RecordedTasks, SILENCE_MS } from './recorded/recorded.ts';
import { Recovery } from './recovery.ts';
import { Runs } from './runs.ts';
import type { EngineParts, SendOptions } from './send.ts';
import { sendMessage } from './sender.ts';
import type { SentTask } from './sent-task.ts';
import { subscribeTo } from './subscribe.ts';
import { Upkeep } from './upkeep.ts';
import { watchTasks } from './watch.ts';
import { Watchers } from './watchers.ts';

export type { TaskChange } from './change-buffer.ts';
export type { TasksOptions } from './context.ts';
export type { TaskFilter } from './filter.ts';
export type { ListedTask, TaskListRequest, TaskPage } from './list.ts';
export type { TaskRow, TaskStreamItem } from './model.ts';
export { KEPT_DELIVERIES, type PushDelivery, type StoredPushConfig } from './push/model.ts';
export type { Job, JobDriver, JobHandle, JobReport, JobStart, RecordedTasks } from './recorded/recorded.ts';
export type { WantedTask } from './seen.ts';
export type { SendOptions } from './send.ts';
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
/** One: a second halves the batches, and each has the price of a statement and a commit. */
const LANES = 1;

/** Builds the task engine on its foundations. `close` drains it. */
export function createTasks(options: TasksOptions) {
  const { database, events, registry, executors, replicaId, log } = options;
  const { query } = database;
  const draining = new AbortController();
  const closing = new AbortController();
  const lease: Lease = { replicaId, ms: options.leaseMs ?? LEASE_MS };
  const feed = new Feed(events);
  const agents = new CalledAgents(registry, events, log);
  const push = createPush(options.push, {
    database,
    replicaId,
    alone: options.alone ?? false,
    automatic: options.recovery ?? true,
    mostConfigs: options.limits?.pushConfigs ?? 0,
    log,
  });
  const logOptions = { leaseMs: lease.ms, onPush: push.wake };
  const lanes = { lanes: options.lanes ?? LANES, batch: 256, queue: 20_000 };
  const journal = new Journal(query, feed, logOptions, lanes);
  const watchers = new Watchers(events);
  const runs = new Runs((run) => recordCall(registry.usage, run));
  const recorded = new RecordedTasks({
    database,
    journal,
    secrets: options.push.secrets,
    usage: registry.usage,
    log,
    silenceMs: options.silenceMs ?? SILENCE_MS,
  });
  const parts: EngineParts = {
    database,
    agents,
    executors,
    journal,
    feed,
    runs,
    push,
    recorded,
    running: new Slots('running tasks', options.limits?.runningTasks ?? 0, 'MAX_RUNNING_TASKS_PER_CALLER'),
    lease,
    draining: draining.signal,
    closing: closing.signal,
  };
  const recovery = new Recovery(parts, log, { automatic: options.recovery ?? true, alone: options.alone ?? false });
  const upkeep = new Upkeep(database, log, {
    automatic: options.recovery ?? true,
    logRetentionMs: options.logRetentionMs ?? 0,
    auditRetentionMs: options.auditRetentionMs ?? 0,
    removeOldAudit: registry.removeOldAudit,
  });
  const stopListening = events.on('agent', ({ action, agentId }) => {
    if (action !== 'deleted') return;
    endTasksOfDeletedAgents(parts, agentId).catch((error: unknown) =>
      log.warn({ err: error, agent: agentId }, 'tasks of a deleted agent are ended by the next round'),
    );
  });

  return {
    /**
     * Sends a message to an agent: a new task, or another message of the task that `message.taskId` names. Resolves when
     * it is stored; its work goes on from there, whether anyone waits or not.
     *
     * @throws RollcallError INVALID_INPUT, UNAUTHENTICATED, FORBIDDEN (scope tasks:send), NOT_FOUND (no such agent),
     *   AGENT_INACTIVE, AGENT_NOT_REACHABLE, TASK_NOT_FOUND, UNSUPPORTED_OPERATION (the task has ended), SHUTTING_DOWN.
     */
    send: (principal: Principal, agentId: string, request: SendRequest, more: SendOptions = {}): Promise<SentTask> =>
      sendMessage(parts, principal, agentId, request, more),

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

    /**
     * One page of the caller's tasks (of everyone's with tasks:admin), newest status first.
     *
     * @throws RollcallError INVALID_INPUT (page size, cursor), UNAUTHENTICATED, FORBIDDEN (scope tasks:read).
     */
    async list(principal: Principal, request: TaskListRequest = {}) {
      requireScope(principal, 'tasks:read');
      return listTasks(query, principal, request);
    },

    /** How many tasks {@link list} would show on all its pages together. */
    async count(principal: Principal, request: TaskListRequest = {}): Promise<number> {
      requireScope(principal, 'tasks:read');
      return countTasks(query, principal, request);
    },

    /** The rows of these tasks, in order; undefined where there is none that the caller may see. One statement. */
    async rowsById(principal: Principal, ids: readonly string[]): Promise<(TaskRow | undefined)[]> {
      requireScope(principal, 'tasks:read');
      return tasksById(query, principal, ids);
    },

    /** As {@link rowsById}, each with its history and artifacts. Two statements, however many tasks. */
    async contentsById(principal: Principal, ids: readonly string[]): Promise<(Task | undefined)[]> {
      requireScope(principal, 'tasks:read');
      return taskContentsById(query, principal, ids);
    },

    ...taskBatches(query),

    /** Our id of the task that a client of the early era knows under an id of its own; undefined when there is none. */
    async idOfClientId(principal: Principal, agentId: string, clientTaskId: string): Promise<string | undefined> {
      requireScope(principal, 'tasks:read');
      if (!isUuid(agentId) || clientTaskId.includes('\u0000') || !clientTaskId.isWellFormed()) return undefined;
      return (await taskOfClientId(query, principal.subject, agentId, clientTaskId))?.id;
    },

    /** Webhooks of tasks. */
    push,

    /** Tasks that run elsewhere: what is heard of them is written here. */
    recorded,

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
      return subscribeTo(query, feed, row, request.after, closing.signal, request.signal);
    },

    /**
     * The changes of state of the caller's tasks (of everyone's with tasks:admin), live, until the signal. See
     * {@link watchTasks}.
     *
     * @throws RollcallError INVALID_INPUT (filter), UNAUTHENTICATED, FORBIDDEN (scope tasks:read).
     */
    watch(principal: Principal, filter: TaskFilter = {}, signal?: AbortSignal): AsyncGenerator<TaskChange> {
      requireScope(principal, 'tasks:read');
      return watchTasks(query, watchers, principal, filter, closing.signal, signal);
    },

    /** Renews leases and takes over abandoned tasks now instead of with the next round. */
    recover: (): Promise<void> => recovery.round(),

    /** Removes old Idempotency-Keys and folds old logs now instead of with the next round. */
    tidy: (): Promise<void> => upkeep.round(),

    /**
     * Takes no more work, waits for what is in progress up to `drainMs`, and leaves the rest to whoever recovers it: a
     * task of a stopped run is not failed.
     */
    async close(): Promise<void> {
      draining.abort();
      const until = Date.now() + (options.drainMs ?? DRAIN_MS);
      const running = Promise.all(runs.all().map((run) => run.over));
      const timeout = new AbortController();
      const late = delay(options.drainMs ?? DRAIN_MS, undefined, { signal: timeout.signal }).catch(() => undefined);
      await Promise.race([running, late]);
      timeout.abort();
      closing.abort();
      stopListening();
      await Promise.all([recovery.stop(), upkeep.stop(), recorded.close()]);
      const left = runs.all();
      if (left.length > 0) log.info({ tasks: left.length }, 'unfinished tasks are left to recovery');
      await Promise.all(left.map((run) => run.stop('closing')));
      await journal.drained();
      await push.close(Math.max(0, until - Date.now()));
      await recovery.release(left.map((run) => run.fold.ids.id));
      agents.close();
      watchers.close();
    },
  };
}
