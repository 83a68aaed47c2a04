import { setTimeout as delay } from 'node:timers/promises';
import type { Principal } from '../../auth/principal.ts';
import type { JsonObject } from '../../protocol/a2a/model.ts';
import { CreateTaskResponse } from '../../protocol/flyte/generated/flyteidl/admin/agent.ts';
import { unpinMeta } from '../../protocol/flyte/pinned-meta.ts';
import { createdMeta, type JobView } from '../../protocol/flyte/routing-views.ts';
import { sparse } from '../../protocol/flyte/wire.ts';
import type { Job, JobReport, RecordedTasks } from '../../tasks/tasks.ts';
import { jobKey } from '../routing/job-key.ts';
import type { FlyteGeneration } from '../routing/methods.ts';
import type { NewJob, NewSyncTask, SyncRecord, TaskRecorder } from '../routing/record.ts';
import type { TaskCalls } from '../routing/task-calls.ts';
import type { FlyteLog } from '../source.ts';
import { handleOf, jobDriver, metaOf } from './driver.ts';
import { failureOf } from './failures.ts';
import { Heard } from './heard.ts';
import { DELETED, reportOf, signatureOf } from './report.ts';
import { startOf } from './start.ts';
import { recordSync } from './sync-tasks.ts';
import { Tracks } from './tracks.ts';
import { Writes } from './writes.ts';

export interface RecorderOptions {
  readonly recorded: RecordedTasks;
  /** Whose tasks they are. */
  readonly principal: Principal;
  /** Whether inputs and outputs are kept. */
  readonly storesIo: boolean;
  readonly log: FlyteLog;
}

/** How long CreateTask waits for the database: without one it goes on, and the task is recorded when it is back. Milliseconds. */
const PATIENCE_MS = 2_000;

/** Writes the tasks that are routed into the task engine's log. */
export class FlyteRecorder implements TaskRecorder {
  readonly #options: RecorderOptions;
  readonly #writes: Writes;
  readonly #tracks: Tracks;
  readonly #heard: Heard;
  /** Calls under way, by key: of several for one attempt only the last may say that it failed. */
  readonly #creating = new Map<string, number>();
  #undrive: () => Promise<void> = async () => undefined;

  constructor(options: RecorderOptions) {
    const { recorded, principal, log } = options;
    this.#options = options;
    this.#writes = new Writes(log);
    this.#tracks = new Tracks(recorded, principal, this.#writes);
    this.#heard = new Heard(recorded, principal, log);
  }

  start(calls: Readonly<Record<FlyteGeneration, TaskCalls>>): void {
    const { recorded, storesIo } = this.#options;
    this.#undrive = recorded.drive(jobDriver(calls, storesIo));
    this.#heard.start();
  }

  async stop(): Promise<void> {
    await this.#undrive();
    await this.#heard.stop();
    await this.#writes.stop();
  }

  async create(asked: NewJob, dispatch: () => Promise<Buffer>): Promise<Buffer> {
    const { recorded, principal, storesIo } = this.#options;
    const { start, flyte } = startOf(asked, storesIo);
    const key = start.key ?? start.id;
    this.#creating.set(key, (this.#creating.get(key) ?? 0) + 1);
    try {
      const begin = this.#writes.begin(() => recorded.begin(principal, start));
      const earlier = metaOfJob(await patiently(begin.first));
      if (earlier !== undefined) return Buffer.from(CreateTaskResponse.encode({ resourceMeta: earlier }).finish());
      const response = await dispatch().catch((error: unknown) => {
        if (this.#creating.get(key) === 1) void this.#notCreated(begin.result, flyte, error);
        throw error;
      });
      const created = this.#created(begin.result, asked, flyte, createdMeta(response));
      await patiently(created);
      return response;
    } finally {
      const left = (this.#creating.get(key) ?? 1) - 1;
      if (left === 0) this.#creating.delete(key);
      else this.#creating.set(key, left);
    }
  }

  answered(generation: FlyteGeneration, job: JobView, response: Buffer): void {
    const ref = jobKey(generation, job);
    this.#heard.add(ref);
    this.#tracks.tell(ref, signatureOf(response), () => reportOf(response, generation, this.#options.storesIo));
  }

  deleted(generation: FlyteGeneration, job: JobView): void {
    this.#tracks.tell(jobKey(generation, job), 'deleted', (): JobReport => DELETED);
  }

  perform(task: NewSyncTask): SyncRecord {
    return recordSync({ ...this.#options, writes: this.#writes }, task);
  }

  /** Resolves when the job is stored, or is given up. */
  async #created(begun: Promise<Job | undefined>, asked: NewJob, flyte: JsonObject, meta: Buffer): Promise<void> {
    const ref = jobKey(asked.generation, { category: asked.category, resourceMeta: meta });
    const deployment = unpinMeta(meta)?.deploymentId;
    const outputPrefix = sparse(asked.request).string(3);
    const stored = (async (): Promise<Job | undefined> => {
      const job = await begun;
      if (job === undefined) return undefined;
      const where = deployment === undefined ? {} : { deployment };
      const metadata = { flyte: { ...flyte, ...where, phase: 'QUEUED', logLinks: [] } };
      const handle = handleOf(meta, outputPrefix);
      await this.#writes.begin(() => this.#options.recorded.created(job, { ref, handle, metadata })).result;
      return job;
    })();
    this.#tracks.expect(ref, stored);
    await stored;
  }

  async #notCreated(begun: Promise<Job | undefined>, flyte: JsonObject, error: unknown): Promise<void> {
    const job = await begun;
    if (job === undefined) return;
    const { code, text } = failureOf(error);
    await this.#writes.begin(() => this.#options.recorded.failed(job, code, text, { flyte })).result;
  }
}

/** The resource_meta of a job that was created before. */
function metaOfJob(job: Job | undefined): Buffer | undefined {
  try {
    const handle = job?.handle() ?? null;
    return handle === null ? undefined : metaOf(handle);
  } catch {
    // Sealed under another key: then the attempt is dispatched, as it was without a record.
    return undefined;
  }
}

/** What comes in time; undefined when it takes longer, or failed. */
async function patiently<T>(work: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  try {
    const late = delay(PATIENCE_MS, undefined, { signal: over.signal, ref: false });
    return await Promise.race([work, late]).catch(() => undefined);
  } finally {
    over.abort();
  }
}
