import { RollcallError } from '../../errors.ts';
import { ARGV, type OpCenterCredentials } from '../../protocol/mmcloud/argv.ts';
import { ENDED_STATUSES, type JobReport, type OpCenter, type Submission } from '../../protocol/mmcloud/op-center.ts';
import { withJobFile } from './job-file.ts';
import { reasonOf, saysNoSuchJob, shownJob, submittedId, taggedId } from './output.ts';
import { type Finished, runProcess } from './process.ts';
import { type Check, Session, type SessionTimings } from './session.ts';
import { Slots } from './slots.ts';

/** The part of a logger that is used here. */
export interface FloatLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface FloatOptions {
  /** The CLI: a path, or a name that PATH knows. */
  readonly program: string;
  readonly credentials: OpCenterCredentials;
  readonly log: FloatLog;
  /** Milliseconds that one run of the CLI may take; 30,000 unless set. */
  readonly timeoutMs?: number;
  /** Processes at the same time; 8 unless set. */
  readonly processes?: number;
  readonly session?: SessionTimings;
}

const TIMEOUT_MS = 30_000;
const PROCESSES = 8;

/** MemVerge's `float` CLI as an {@link OpCenter}. */
export class FloatCli implements OpCenter {
  readonly #options: FloatOptions;
  readonly #session: Session;
  readonly #slots: Slots;

  constructor(options: FloatOptions) {
    this.#options = options;
    this.#session = new Session(() => this.#logIn(), options.session);
    this.#slots = new Slots(options.processes ?? PROCESSES);
  }

  async login(signal: AbortSignal): Promise<void> {
    await orAborted(this.#session.ensure().result, signal);
  }

  async submit(job: Submission, signal: AbortSignal): Promise<string> {
    const { tag, args, env } = job;
    const known = tag === undefined ? undefined : await this.#find(tag, signal);
    if (known !== undefined) {
      this.#options.log.info({ job: known }, 'MMCloud job was submitted before');
      return known;
    }
    const values = env.map(({ value }) => value);
    const id = await withJobFile(args, async (path) => {
      try {
        return submittedId(await this.#ran('submit', ARGV.submit(job, path), signal, values));
      } catch (error) {
        // It may have been submitted all the same, and only the answer was lost.
        const submitted = tag === undefined || signal.aborted ? undefined : await this.#afterFailure(tag, signal);
        if (submitted === undefined) throw error;
        return submitted;
      }
    });
    this.#options.log.info({ job: id }, 'MMCloud job submitted');
    return id;
  }

  async show(id: string, signal: AbortSignal): Promise<JobReport | undefined> {
    const finished = await this.#inSession('show', ARGV.show(id), signal);
    if (saysNoSuchJob(finished)) return undefined;
    return shownJob(id, this.#succeeded('show', finished));
  }

  async cancel(id: string, signal: AbortSignal): Promise<void> {
    const finished = await this.#inSession('cancel', ARGV.cancel(id), signal);
    if (finished.exitCode === 0 || saysNoSuchJob(finished)) return;
    // A job that has ended cannot be cancelled: that is what was wanted.
    const job = await this.show(id, signal);
    if (job !== undefined && !ENDED_STATUSES.has(job.status)) this.#succeeded('cancel', finished);
  }

  async #find(tag: string, signal: AbortSignal): Promise<string | undefined> {
    return taggedId(tag, await this.#ran('list', ARGV.list, signal));
  }

  /** As {@link FloatCli.#find}, when there is an error already that must not be covered by another one. */
  async #afterFailure(tag: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      return await this.#find(tag, signal);
    } catch (error) {
      if (!signal.aborted) this.#options.log.warn({ err: error }, 'MMCloud job may have been submitted; cannot tell');
      return undefined;
    }
  }

  /** What the command printed. @throws RollcallError UPSTREAM_INVALID when it failed */
  async #ran(
    command: string,
    args: readonly string[],
    signal: AbortSignal,
    values: readonly string[] = [],
  ): Promise<string> {
    return this.#succeeded(command, await this.#inSession(command, args, signal), values);
  }

  #succeeded(command: string, finished: Finished, values: readonly string[] = []): string {
    if (finished.exitCode === 0) return finished.stdout;
    const how = finished.exitCode === null ? 'was killed' : `exit code ${finished.exitCode}`;
    const why = reasonOf(finished, this.#options.credentials.password, values);
    throw new RollcallError('UPSTREAM_INVALID', `float ${command} failed (${how}): ${why}`);
  }

  /** Runs a command; once more when it failed and the session turns out to have ended. */
  async #inSession(command: string, args: readonly string[], signal: AbortSignal): Promise<Finished> {
    const check = this.#session.ensure();
    await orAborted(check.result, signal);
    const finished = await this.#slots.run(() => this.#run(command, args, signal), signal);
    if (finished.exitCode === 0 || saysNoSuchJob(finished)) return finished;
    if (!(await this.#renewed(check, signal))) return finished;
    return this.#slots.run(() => this.#run(command, args, signal), signal);
  }

  /** Whether the session that was trusted had ended, and there is a new one now. */
  async #renewed(check: Check, signal: AbortSignal): Promise<boolean> {
    this.#session.doubt(check);
    return (await orAborted(this.#session.ensure().result, signal)).renewed;
  }

  async #logIn(): Promise<{ readonly renewed: boolean }> {
    // Many callers may wait for this one: it ends by its own timeout, and by no caller's signal.
    const { signal } = new AbortController();
    if ((await this.#run('login', ARGV.loginInfo, signal)).exitCode === 0) return { renewed: false };
    const { credentials, log } = this.#options;
    const { exitCode } = await this.#run('login', ARGV.login(credentials), signal);
    // Not a word of what it printed: the password may be in it, in whatever spelling.
    if (exitCode !== 0) {
      const how = exitCode === null ? 'was killed' : `exit code ${exitCode}`;
      throw new RollcallError(
        'UPSTREAM_UNREACHABLE',
        `Login to the MMCloud OpCenter failed (${how}): check MMCLOUD_ADDRESS, MMCLOUD_USERNAME and MMCLOUD_PASSWORD.`,
      );
    }
    log.info({}, 'Logged in to the MMCloud OpCenter');
    return { renewed: true };
  }

  #run(command: string, args: readonly string[], signal: AbortSignal): Promise<Finished> {
    const { program, timeoutMs = TIMEOUT_MS } = this.#options;
    return runProcess(program, args, `float ${command}`, timeoutMs, signal);
  }
}

/** Waits for work that is shared, and leaves it alone when this caller's signal is aborted. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
