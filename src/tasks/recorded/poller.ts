import type { Logger } from 'pino';
import { toRollcallError } from '../../errors.ts';
import type { JobDriver } from './model.ts';
import type { RecordedTasks } from './recorded.ts';
import type { DueJob, JobStore } from './store.ts';

/** Jobs that are asked for at the same time. */
const BATCH = 20;
const POLL_MS = 30_000;
/** A replica that took a job and died keeps it no longer than this. */
const CLAIM_MS = 2 * POLL_MS;
/** A job that cannot be asked for is given up after this long without a sign of it. */
const GIVE_UP_MS = 24 * 60 * 60_000;

const LOST = 'Nothing more was heard of this job; whether it did its work is not known.';
const NOT_CREATED = 'The connection was lost before the job was created; whether it was is not known.';

/**
 * Asks for jobs that nobody else asks for any more, each at growing intervals, until their end: no task stays unfinished
 * for ever (DESIGN §3.7). What is due is in the database, so that it outlives this process, and one replica at a time
 * asks for a job.
 */
export class Poller {
  readonly #recorded: RecordedTasks;
  readonly #store: JobStore;
  readonly #log: Logger;
  readonly #silenceMs: number;
  #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(recorded: RecordedTasks, store: JobStore, log: Logger, silenceMs: number) {
    this.#recorded = recorded;
    this.#store = store;
    this.#log = log;
    this.#silenceMs = silenceMs;
  }

  start(driver: JobDriver): void {
    clearTimeout(this.#timer);
    this.#stop = new AbortController();
    this.#after(driver, this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#round;
  }

  #after(driver: JobDriver, signal: AbortSignal): void {
    this.#timer = setTimeout(
      () => {
        this.#round = this.#pollDue(driver, signal);
        void this.#round.then(() => signal.aborted || this.#after(driver, signal));
      },
      Math.min(this.#silenceMs / 10, 15_000),
    );
    this.#timer.unref();
  }

  async #pollDue(driver: JobDriver, signal: AbortSignal): Promise<void> {
    try {
      for (let taken = BATCH; taken === BATCH && !signal.aborted; ) {
        const jobs = await this.#store.claimDue(BATCH, CLAIM_MS);
        taken = jobs.length;
        const unfinished = jobs.filter(({ task }) => task.finishedAt === null);
        await Promise.all(unfinished.map((job) => this.#poll(driver, job, signal)));
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'jobs that nobody asks for could not be read; trying again');
    }
  }

  async #poll(driver: JobDriver, job: DueJob, closing: AbortSignal): Promise<void> {
    const { task } = job;
    try {
      if (job.ref === null) {
        await this.#recorded.failed(job, 'OUTCOME_UNKNOWN', NOT_CREATED);
        return;
      }
      const report = await driver.poll(job, AbortSignal.any([closing, AbortSignal.timeout(POLL_MS)]));
      if (report === undefined) return await this.#unanswered(job, 3 * this.#silenceMs);
      await this.#recorded.report(job, report);
      await this.#store.polled(task.id, true, this.#pause(job), CLAIM_MS);
    } catch (error) {
      // Its turn is over: the next server need not wait for the end of ours.
      if (closing.aborted) return void (await this.#store.polled(task.id, false, 0, CLAIM_MS).catch(() => undefined));
      // Errors of deployments may quote anything: their code says enough.
      this.#log.warn(
        { task: task.id, code: toRollcallError(error).code },
        'a job could not be asked for; trying again',
      );
      await this.#unanswered(job, GIVE_UP_MS).catch(() => undefined);
    }
  }

  async #unanswered(job: DueJob, giveUpMs: number): Promise<void> {
    if (Date.now() - job.heardAt.getTime() > giveUpMs) {
      await this.#recorded.failed(job, 'OUTCOME_UNKNOWN', LOST);
      return;
    }
    await this.#store.polled(job.task.id, false, this.#pause(job), CLAIM_MS);
  }

  #pause({ polls }: DueJob): number {
    return Math.min((this.#silenceMs / 10) * 2 ** polls, 2 * this.#silenceMs);
  }
}
