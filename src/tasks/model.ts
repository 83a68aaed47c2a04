import type { Artifact, JsonObject, Message, StreamEvent, Task, TaskState, TaskStatus } from '../protocol/a2a/model.ts';

/**
 * What a log entry holds. Ids of task and context are not in it: they are the task's. `created` begins every log with
 * the first message; `message` adds one to the history; `result` is an agent's answer that was no task (DESIGN §3.5).
 * `snapshot` stands for everything up to its place: the only entry of a log that was folded (compaction.ts).
 */
export type Entry =
  | { readonly kind: 'created'; readonly message: Message; readonly metadata?: JsonObject }
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'status'; readonly status: TaskStatus; readonly metadata?: JsonObject }
  | {
      readonly kind: 'artifact';
      readonly artifact: Artifact;
      readonly append?: boolean;
      readonly lastChunk?: boolean;
      readonly metadata?: JsonObject;
    }
  | { readonly kind: 'result'; readonly message: Message }
  | { readonly kind: 'snapshot'; readonly task: Task; readonly resultKind: TaskRow['resultKind'] };

export type EntryKind = Entry['kind'];

/** An entry with its place in the log. */
export interface LoggedEntry {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly at: Date;
  readonly entry: Entry;
}

/** A task's row: the fold of its log as far as lists and filters need it. */
export interface TaskRow {
  readonly id: string;
  readonly agentId: string;
  readonly owner: string;
  readonly contextId: string;
  /** The dialect it was sent in, by the name of protocol/a2a/dialects. */
  readonly dialect: string;
  /** The id that a client of the early era chose; null in every other dialect. */
  readonly clientTaskId: string | null;
  readonly state: TaskState;
  readonly statusMessage: Message | null;
  readonly statusAt: Date;
  /** `message`: the agent answered with a message instead of a task; it is the status message. */
  readonly resultKind: 'task' | 'message';
  readonly lastSequence: number;
  readonly metadata: JsonObject | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly upstreamTaskId: string | null;
  readonly upstreamContextId: string | null;
  readonly leaseEpoch: number;
  readonly leaseReplica: string | null;
  /** See idempotency.ts; null when no send may join this task. */
  readonly joinKey: string | null;
  readonly recoveredAt: Date | null;
  /** It has, or had, webhooks. */
  readonly push: boolean;
  /** It is recorded here and runs elsewhere (recorded/): no replica drives it. */
  readonly elsewhere: boolean;
}

/**
 * One item of a task's stream. A snapshot (`event.task`) stands for the log up to and including its sequence. With
 * `reset`, the cursor that was asked for cannot be served any more: forget what you have, this replaces it. An item of
 * kind `message` adds a message to the history; A2A streams leave those out, as the protocol has no event for them.
 */
export interface TaskStreamItem {
  readonly sequence: number;
  readonly kind: EntryKind;
  readonly event: StreamEvent;
  readonly at: Date;
  /** The task's state after this item. */
  readonly state: TaskState;
  readonly reset?: true;
}
