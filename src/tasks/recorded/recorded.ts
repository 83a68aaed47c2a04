import type { Logger } from 'pino';
import type { Principal } from '../../auth/principal.ts';
import type { Database } from '../../database/database.ts';
import { newId } from '../../database/ids.ts';
import type { SecretBox } from '../../database/secret-box.ts';
import { RollcallError } from '../../errors.ts';
import { isTerminal, type JsonObject, type TaskState } from '../../protocol/a2a/model.ts';
import { canonicalDigest } from '../../protocol/canonical-json.ts';
import type { UsageMeter } from '../../registry/usage.ts';
import { requireScope } from '../../registry/visibility.ts';
import type { Journal } from '../log/journal.ts';
import type { Entry, TaskRow } from '../model.ts';
import { taskById } from '../reads.ts';
import { nextState } from '../states.ts';
import type { Job, JobDriver, JobHandle, JobReport, JobStart } from './model.ts';
import { Poller } from './poller.ts';
import { JobStore } from './store.ts';

export type { Job, JobDriver, JobHandle, JobReport, JobStart } from './model.ts';

/** After this long without anyone asking for a job, Rollcall asks itself (DESIGN §3.7). Milliseconds. */
export const SILENCE_MS = 300_000;

/** What recorded tasks stand on. */
export interface RecordedParts {
  readonly database: Database;
  readonly journal: Journal;
  readonly secrets: SecretBox;
  readonly usage: UsageMeter;
  readonly log: Logger;
  readonly silenceMs: number;
}

const BATCH = 500;

/**
 * Tasks that run elsewhere: somebody else dispatches them and asks how they stand, and what is heard of it is written to
 * the log of a task. No replica drives them, and none takes them over; when nobody asks any more, Rollcall does.
 */
export class RecordedTasks {
  readonly #parts: RecordedParts;
  readonly #store: JobStore;
  readonly #poller: Poller;
  #driver: JobDriver | undefined;

  constructor(parts: RecordedParts) {
    this.#parts = parts;
    this.#store = new JobStore(parts.database.query, parts.secrets);
    this.#poller = new Poller(this, this.#store, parts.log, parts.silenceMs);
  }

  /** How long nobody may ask for a job before Rollcall does. Milliseconds. */
  get silenceMs(): number {
    return this.#parts.silenceMs;
  }

  /**
   * Stores a task that is about to begin elsewhere, `submitted`; or answers the task of the same key, in whatever state.
   *
   * @throws RollcallError UNAUTHENTICATED, FORBIDDEN (scope tasks:send), DATABASE_UNAVAILABLE.
   */
  async begin(principal: Principal, start: JobStart): Promise<Job> {
    requireScope(principal, 'tasks:send');
    const owner = principal.subject;
    const idempotencyKey = start.key === undefined ? null : canonicalDigest([owner, start.agentId, 'job', start.key]);
    const { id, agentId, place } = start;
    await this.#parts.journal.accept({
      id,
      agentId,
      owner,
      contextId: start.contextId ?? newId(),
      dialect: '1.0',
      clientTaskId: null,
      joinKey: null,
      idempotencyKey,
      entry: { kind: 'created', message: start.message },
      at: new Date(),
      lease: null,
      place,
    });
    // By the key where there is one: an earlier start may have it. By the id: a first try may have been committed.
    const job = idempotencyKey === null ? await this.#store.byId(id) : await this.#store.byKey(idempotencyKey);
    if (job !== undefined) return job;
    throw new RollcallError('INTERNAL', `Task ${id} is gone as soon as it was stored.`);
  }

  /** The caller's task of a job, by the digest of what the other side gave for it. */
  async byRef(principal: Principal, ref: string): Promise<Job | undefined> {
    return this.#store.byRef(principal.subject, ref);
  }

  /** The job was created. */
  async created({ task }: Job, { ref, handle, metadata }: JobHandle): Promise<void> {
    await this.#store.setHandle(task.id, ref, handle, this.silenceMs);
    const row = await taskById(this.#parts.database.query, task.id);
    // Another call for the same job was first, and reports may have come since.
    if (row === undefined || row.metadata !== null) return;
    const { leaseEpoch: epoch, lastSequence: base } = row;
    await this.#parts.journal.append(row, { epoch, entries: [], at: new Date(), base, metadata });
  }

  /** The job was not created, or nobody knows of it any more: the task has failed, and the same work may begin anew. */
  async failed({ task }: Pick<Job, 'task'>, errorCode: string, text: string, about: JsonObject = {}): Promise<void> {
    await this.#store.freeKey(task.id);
    const metadata = (present: JsonObject): JsonObject => ({ ...about, ...present });
    await this.report({ task }, { state: 'failed', text, metadata, statusMetadata: { errorCode } });
  }

  /** Writes what was heard of a job, if it is new. Answers the task's state after it. */
  async report({ task: { id } }: Pick<Job, 'task'>, report: JobReport): Promise<TaskState> {
    const row = await taskById(this.#parts.database.query, id);
    const state = row && nextState(row.state, report.state);
    if (row === undefined || state === undefined) return row?.state ?? 'unknown';
    const metadata = report.metadata(row.metadata ?? {});
    if (state === row.state && same(metadata, row.metadata ?? {})) return state;
    const at = new Date();
    const entries: Entry[] = (report.artifacts ?? []).map((artifact) => ({ kind: 'artifact', artifact }));
    const message = { messageId: newId(), role: 'agent' as const, parts: [{ text: report.text }] };
    const status = report.text === '' ? { state } : { state, message };
    entries.push({ kind: 'status', status, metadata: report.statusMetadata });
    const { leaseEpoch: epoch, lastSequence: base } = row;
    const logged = await this.#parts.journal.append(row, { epoch, entries, at, base, metadata });
    if (logged !== undefined && isTerminal(state)) this.ended(row, state, at);
    return state;
  }

  /** Counts a task that has ended as one call of its agent. One that was cancelled is not timed. */
  ended({ agentId, createdAt }: TaskRow, state: TaskState, at: Date): void {
    const latencyMs = state === 'canceled' ? undefined : Math.max(0, at.getTime() - createdAt.getTime());
    this.#parts.usage.record(agentId, state === 'failed', { latencyMs, at });
  }

  /** The caller asked for these jobs of its own: Rollcall need not. */
  async heard(principal: Principal, refs: readonly string[]): Promise<void> {
    for (let from = 0; from < refs.length; from += BATCH) {
      await this.#store.heard(principal.subject, refs.slice(from, from + BATCH), this.silenceMs);
    }
  }

  /** Gives the means to reach jobs: from now on Rollcall asks for those that nobody asks for. The answer ends that. */
  drive(driver: JobDriver): () => Promise<void> {
    this.#driver = driver;
    this.#poller.start(driver);
    return async () => {
      if (this.#driver === driver) this.#driver = undefined;
      await this.#poller.stop();
    };
  }

  /**
   * Stops a task's job. The log is the caller's to write.
   *
   * @throws RollcallError FAILED_PRECONDITION when it was not created yet, or cannot be reached from this process; what
   *   the driver throws when the other side did not confirm it.
   */
  async stop(taskId: string, signal: AbortSignal): Promise<void> {
    const job = await this.#store.byId(taskId);
    if (job === undefined || job.ref === null) {
      throw new RollcallError('FAILED_PRECONDITION', `Task ${taskId} has not begun yet; try again in a moment.`);
    }
    if (this.#driver === undefined) {
      throw new RollcallError(
        'FAILED_PRECONDITION',
        `Task ${taskId} runs elsewhere, and this server does not serve Flyte: set FLYTE_PORT, or cancel it in Flyte.`,
      );
    }
    await this.#driver.cancel(job, signal);
  }

  close(): Promise<void> {
    return this.#poller.stop();
  }
}

const same = (a: JsonObject, b: JsonObject): boolean => JSON.stringify(a) === JSON.stringify(b);
