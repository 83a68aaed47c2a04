/** Cores or GiB: whole numbers, as the CLI wants them. Without `max` there is no upper bound. */
export interface Range {
  readonly min: bigint;
  readonly max: bigint | undefined;
}

/** A job as the OpCenter is asked to run it. */
export interface Submission {
  /** Cores. */
  readonly cpu: Range;
  /** GiB. */
  readonly mem: Range;
  readonly image: string;
  readonly env: readonly { readonly key: string; readonly value: string }[];
  /** What the job runs: a program and its arguments. */
  readonly args: readonly string[];
  /** Further options of the CLI's submit, as given. */
  readonly extra: readonly string[];
  /** Marks the job, so that it can be found again when the answer to its submission was lost; without it, it cannot. */
  readonly tag: string | undefined;
}

/** What the OpCenter says of a job. */
export interface JobReport {
  readonly id: string;
  /** A word of the OpCenter: "Executing". */
  readonly status: string;
  /** The exit code of what it ran, once there is one. */
  readonly rc: string | undefined;
  readonly workingHost: string | undefined;
  /** As the OpCenter says it: "0.0017 USD". */
  readonly cost: string | undefined;
}

/**
 * Memory Machine Cloud's OpCenter, where jobs run. Every call logs in first where that is needed, and fails with a
 * RollcallError: UPSTREAM_UNREACHABLE (cannot be started, or the login failed), UPSTREAM_TIMEOUT, UPSTREAM_INVALID (it
 * refused, or its answer cannot be read). None of them tells a secret.
 */
export interface OpCenter {
  login(signal: AbortSignal): Promise<void>;
  /** Gives the job's id. With a tag: that of the job which has it already, if there is one. */
  submit(job: Submission, signal: AbortSignal): Promise<string>;
  /** Undefined when the OpCenter knows no such job. */
  show(id: string, signal: AbortSignal): Promise<JobReport | undefined>;
  /** Ends a job. Succeeds for one that has ended, or that is not known. */
  cancel(id: string, signal: AbortSignal): Promise<void>;
}

/** Statuses that a job never leaves. */
export const ENDED_STATUSES: ReadonlySet<string> = new Set([
  'Completed',
  'Cancelled',
  'Cancelling',
  'FailToComplete',
  'FailToExecute',
  'CheckpointFailed',
  'Timedout',
  'NoAvailableHost',
]);
