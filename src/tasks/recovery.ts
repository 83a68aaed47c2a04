import type { Logger } from 'pino';
import { RollcallError } from '../errors.ts';
import type { ReachableAgent } from '../registry/registry.ts';
import { claimAbandoned, endOtherLeases, releaseLeases, renewLeases } from './claims.ts';
import { endTasksOfDeletedAgents } from './deleted-agents.ts';
import type { TaskFold } from './fold.ts';
import { resumeAnswered, unansweredMessage } from './lost-answer.ts';
import type { TaskRow } from './model.ts';
import { foldOf, logAfter } from './reads.ts';
import { Run, type RunOptions } from './run.ts';
import type { EngineParts } from './send.ts';
import { toAgent } from './send-request.ts';

/** Abandoned tasks that are taken over at a time. */
const BATCH = 50;

export interface RecoveryOptions {
  /** False: rounds only when asked for. */
  readonly automatic: boolean;
  /** True: no other replica can be at work, so the first round waits for no lease to end. */
  readonly alone: boolean;
}

/**
 * Renews the leases of what this replica drives, and takes over what nobody drives any more (DESIGN §3.7): at the start,
 * and three times in the length of a lease.
 */
export class Recovery {
  readonly #parts: EngineParts;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  /** Leases of earlier processes are still to be ended. */
  #inherits: boolean;
  #closed = false;

  constructor(parts: EngineParts, log: Logger, { automatic, alone }: RecoveryOptions) {
    this.#parts = parts;
    this.#log = log;
    this.#inherits = alone;
    if (!automatic) return;
    this.#timer = setInterval(() => void this.round(), Math.max(parts.lease.ms / 3, 20));
    this.#timer.unref();
    void this.round();
  }

  /** One round of renewing and taking over; resolves when what was taken over is being driven. */
  round(): Promise<void> {
    this.#round = this.#round.then(() => this.#renewAndTakeOver());
    return this.#round;
  }

  /** Ends the rounds, and gives up what is still being driven. */
  async stop(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  /** To be called when the runs are stopped. */
  async release(taskIds: readonly string[]): Promise<void> {
    const { database, lease } = this.#parts;
    await releaseLeases(database.query, lease, taskIds).catch((error: unknown) =>
      this.#log.warn({ err: error }, 'leases could not be given up; they end by themselves'),
    );
  }

  async #renewAndTakeOver(): Promise<void> {
    if (this.#closed) return;
    const { database, lease, runs } = this.#parts;
    try {
      const ids = runs.all().map((run) => run.fold.ids.id);
      await renewLeases(database.query, lease, ids);
      if (this.#inherits) await endOtherLeases(database.query, lease);
      this.#inherits = false;
      await endTasksOfDeletedAgents(this.#parts);
      for (let taken = BATCH; taken === BATCH && !this.#closed; ) {
        const rows = await claimAbandoned(database.query, lease, BATCH);
        taken = rows.length;
        for (const row of rows) await this.#takeOver(row);
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'leases could not be renewed; trying again');
    }
  }

  async #takeOver(row: TaskRow): Promise<void> {
    const { agents, runs } = this.#parts;
    // A run of ours that lost its lease, because the database was away or this process stood still.
    await runs.of(row.id)?.stop('lost');
    try {
      const reachable = await agents.get(row.agentId);
      this.#log.info({ task: row.id, agent: reachable.agent.handle }, 'an abandoned task is taken over');
      const fold = await foldOf(this.#parts.database.query, row);
      await this.#resume(row, reachable, fold, await this.#source(row, reachable, fold));
    } catch (error) {
      // Deleted agents are seen to by endTasksOfDeletedAgents; anything else by the next round, after the lease.
      this.#log.warn({ err: error, task: row.id }, 'an abandoned task could not be taken over');
    }
  }

  async #source(row: TaskRow, reachable: ReachableAgent, fold: TaskFold): Promise<RunOptions['open']> {
    const { database, executors } = this.#parts;
    const executor = executors.forAgent(reachable.agent);
    const { upstreamTaskId } = row;
    const { query } = database;
    if (upstreamTaskId !== null) {
      const message = await unansweredMessage(query, row);
      if (message === undefined) return (signal) => executor.resubscribe(reachable, upstreamTaskId, { signal });
      const unanswered = { query, executor, reachable, row, upstreamTaskId, fold, message };
      return (signal) => resumeAnswered(unanswered, signal);
    }
    const [first] = await logAfter(query, row.id, 0, 1);
    if (reachable.agent.retrySafe && first?.entry.kind === 'created') {
      const { message, metadata } = first.entry;
      const request = toAgent(
        { message, ...(metadata === undefined ? {} : { metadata }) },
        null,
        row.upstreamContextId,
      );
      return (signal) => executor.send(reachable, request, { signal });
    }
    return () => {
      throw new RollcallError(
        'OUTCOME_UNKNOWN',
        'The connection to the agent was lost before its first answer; whether it did the work is not known. Ask the agent, or send the message again. Agents for which sending twice does no harm can be marked retrySafe.',
      );
    };
  }

  async #resume(row: TaskRow, reachable: ReachableAgent, fold: TaskFold, open: RunOptions['open']): Promise<void> {
    const { executors, journal, runs } = this.#parts;
    const executor = executors.forAgent(reachable.agent);
    runs.add(
      new Run({
        task: { id: row.id, agentId: row.agentId, owner: row.owner },
        fold,
        epoch: row.leaseEpoch,
        journal,
        resumed: true,
        upstreamTaskId: row.upstreamTaskId,
        upstreamContextId: row.upstreamContextId,
        cancel: (id, signal) => executor.cancel(reachable, id, { signal }),
        open,
      }),
    );
  }
}
