import type { Artifact, JsonObject, Message, TaskState } from '../../protocol/a2a/model.ts';
import type { TaskRow } from '../model.ts';

/** A piece of work that begins elsewhere. */
export interface JobStart {
  /** Of the task; a start that is tried again keeps it. */
  readonly id: string;
  readonly agentId: string;
  /** Two starts with the same one are the same task; undefined: this is the only one. */
  readonly key: string | undefined;
  /** The conversation that it belongs to; a new one when undefined. */
  readonly contextId: string | undefined;
  /** What was asked for. */
  readonly message: Message;
  /** Where it is found again; whatever the driver needs besides the handle, and nothing secret. */
  readonly place: JsonObject;
}

/** What the other side gave for it. */
export interface JobHandle {
  /** A digest by which calls about the job find the task. */
  readonly ref: string;
  /** By what the driver asks for it. It may hold secrets: it is stored sealed. */
  readonly handle: string;
  readonly metadata: JsonObject;
}

/** A task that runs elsewhere. */
export interface Job {
  readonly task: TaskRow;
  readonly ref: string | null;
  readonly place: JsonObject;
  /** By what the driver asks for it; null until it was created. @throws RollcallError FAILED_PRECONDITION when it was sealed under another key */
  handle(): string | null;
}

/** How the other side says that a job stands. */
export interface JobReport {
  readonly state: TaskState;
  /** What is said about it. */
  readonly text: string;
  /** The task's metadata from now on, made from what it was. It says all by which one report differs from the next. */
  metadata(present: JsonObject): JsonObject;
  /** Of the status entry. */
  readonly statusMetadata: JsonObject;
  readonly artifacts?: readonly Artifact[];
}

/** Reaches what runs elsewhere. */
export interface JobDriver {
  /**
   * How a job stands; undefined when the other side knows of no such job. Rejects when it cannot be asked at the moment.
   */
  poll(job: Job, signal: AbortSignal): Promise<JobReport | undefined>;
  /** Stops a job; succeeds for one that is not known. @throws RollcallError when that was not confirmed */
  cancel(job: Job, signal: AbortSignal): Promise<void>;
}
