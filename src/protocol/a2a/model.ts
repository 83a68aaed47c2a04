/**
 * The internal model of A2A: the data model of specification 1.0 (§4, a2a.proto), as plain JSON values. Every dialect
 * is translated from and to this. Two things differ from 1.0's JSON: states and roles have short names ("working" for
 * TASK_STATE_WORKING), and base64 is always the standard alphabet with padding.
 *
 * Members that no version defines stay on the object they came with, untyped, so that extensions survive a translation.
 */

/** A state of a task. `unknown` is 1.0's TASK_STATE_UNSPECIFIED. */
export const TASK_STATES = [
  'unknown',
  'submitted',
  'working',
  'completed',
  'failed',
  'canceled',
  'input-required',
  'rejected',
  'auth-required',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** States that never change again (specification 1.0 §4.1.3). */
export const TERMINAL_STATES: ReadonlySet<TaskState> = new Set(['completed', 'failed', 'canceled', 'rejected']);
/** States in which the task waits for the client. */
export const INTERRUPTED_STATES: ReadonlySet<TaskState> = new Set(['input-required', 'auth-required']);

export const isTerminal = (state: TaskState): boolean => TERMINAL_STATES.has(state);
export const isInterrupted = (state: TaskState): boolean => INTERRUPTED_STATES.has(state);
/** Whether an A2A stream ends with this state: terminal ones and input-required; auth-required keeps it open. */
export const closesStream = (state: TaskState): boolean => isTerminal(state) || state === 'input-required';

export type Role = 'user' | 'agent';

/** A JSON object whose content is the caller's own: metadata, extension parameters. */
export type JsonObject = { readonly [name: string]: unknown };

interface PartCommon {
  readonly metadata?: JsonObject;
  readonly filename?: string;
  readonly mediaType?: string;
}
/** One piece of content: exactly one of `text`, `raw` (base64), `url` and `data` (any JSON value, null included). */
export type Part = PartCommon &
  (
    | { readonly text: string; readonly raw?: never; readonly url?: never; readonly data?: never }
    | { readonly raw: string; readonly text?: never; readonly url?: never; readonly data?: never }
    | { readonly url: string; readonly text?: never; readonly raw?: never; readonly data?: never }
    | { readonly data: unknown; readonly text?: never; readonly raw?: never; readonly url?: never }
  );

export interface Message {
  readonly messageId: string;
  readonly contextId?: string;
  readonly taskId?: string;
  readonly role: Role;
  readonly parts: readonly Part[];
  readonly metadata?: JsonObject;
  readonly extensions?: readonly string[];
  readonly referenceTaskIds?: readonly string[];
}

export interface TaskStatus {
  readonly state: TaskState;
  readonly message?: Message;
  /** UTC with milliseconds: `2026-01-02T03:04:05.678Z`. */
  readonly timestamp?: string;
}

export interface Artifact {
  readonly artifactId: string;
  readonly name?: string;
  readonly description?: string;
  readonly parts: readonly Part[];
  readonly metadata?: JsonObject;
  readonly extensions?: readonly string[];
}

export interface Task {
  readonly id: string;
  readonly contextId?: string;
  readonly status: TaskStatus;
  readonly artifacts?: readonly Artifact[];
  readonly history?: readonly Message[];
  readonly metadata?: JsonObject;
}

export interface StatusUpdate {
  readonly taskId: string;
  /** Absent where the sender's dialect has none. */
  readonly contextId?: string;
  readonly status: TaskStatus;
  readonly metadata?: JsonObject;
}

export interface ArtifactUpdate {
  readonly taskId: string;
  readonly contextId?: string;
  readonly artifact: Artifact;
  /** The parts continue the artifact of the same id instead of replacing it. */
  readonly append?: boolean;
  readonly lastChunk?: boolean;
  readonly metadata?: JsonObject;
}

/** What a send answers: exactly one of both. */
export type SendResult =
  | { readonly task: Task; readonly message?: never }
  | { readonly message: Message; readonly task?: never };

/** One event of a stream: exactly one member. */
export type StreamEvent =
  | { readonly task: Task; readonly message?: never; readonly statusUpdate?: never; readonly artifactUpdate?: never }
  | { readonly message: Message; readonly task?: never; readonly statusUpdate?: never; readonly artifactUpdate?: never }
  | {
      readonly statusUpdate: StatusUpdate;
      readonly task?: never;
      readonly message?: never;
      readonly artifactUpdate?: never;
    }
  | {
      readonly artifactUpdate: ArtifactUpdate;
      readonly task?: never;
      readonly message?: never;
      readonly statusUpdate?: never;
    };

export interface PushAuthentication {
  /** An HTTP authentication scheme: `Bearer`, `Basic`. */
  readonly scheme: string;
  readonly credentials?: string;
}

/** A webhook of a task. `taskId` is absent inside a send, where the task does not exist yet. */
export interface PushConfig {
  readonly tenant?: string;
  readonly id?: string;
  readonly taskId?: string;
  readonly url: string;
  /** Goes back to the receiver as X-A2A-Notification-Token. */
  readonly token?: string;
  readonly authentication?: PushAuthentication;
}
