import type { Extra } from '../parts.ts';
import type { Era } from '../published.ts';

/** The columns within a cell, in the order of the letters. */
export const OPERATIONS = ['send', 'stream', 'get', 'cancel', 'resubscribe', 'multi-turn', 'push'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A task as a client sees it, whatever its dialect calls the members. */
export interface TaskView {
  readonly id: string;
  readonly contextId: string | undefined;
  /** In the words of 0.3: `input-required`. */
  readonly state: string;
  /** What the agent says with the state. */
  readonly said: string | undefined;
  /** The whole text of each artifact. */
  readonly artifacts: readonly string[];
  /** What artifacts hold besides text. */
  readonly extras: readonly Extra[];
  readonly history: readonly { readonly role: string; readonly text: string }[];
}

export interface TaskSeen {
  readonly kind: 'task';
  readonly task: TaskView;
}
export interface StatusSeen {
  readonly kind: 'status';
  readonly taskId: string;
  readonly contextId: string | undefined;
  readonly state: string;
  readonly said: string | undefined;
  /** Undefined where the dialect has no such flag. */
  readonly final: boolean | undefined;
}
export interface ArtifactSeen {
  readonly kind: 'artifact';
  readonly taskId: string;
  readonly contextId: string | undefined;
  readonly artifact: string;
  readonly text: string;
  readonly append: boolean;
  readonly last: boolean;
}

/** An event of a stream as a client sees it. */
export type EventView = TaskSeen | StatusSeen | ArtifactSeen;

/** The task that an event is about. */
export const idOf = (event: EventView): string => (event.kind === 'task' ? event.task.id : event.taskId);

/** The context that an event names. */
export const contextOf = (event: EventView): string | undefined =>
  event.kind === 'task' ? event.task.contextId : event.contextId;

/** The state that an event tells, if it does. */
export const stateOf = (event: EventView): string | undefined =>
  event.kind === 'task' ? event.task.state : event.kind === 'status' ? event.state : undefined;

/** Where push notifications go, and what they carry. */
export interface Hook {
  readonly url: string;
  readonly token: string;
  /** The credentials of the scheme Bearer. */
  readonly credentials: string;
}

export interface SendOptions {
  readonly messageId: string;
  /** What else the message holds. */
  readonly extras?: readonly Extra[];
  /** The task that the message belongs to. */
  readonly follows?: TaskView;
  /** To be told of by push, as part of the send. */
  readonly hook?: Hook;
}

/** The seven operations over one client, connected to one agent behind Rollcall. */
export interface MatrixClient {
  /** Waits for the answer. */
  send(text: string, options: SendOptions): Promise<TaskView>;
  stream(text: string, options: SendOptions): AsyncGenerator<EventView>;
  get(id: string): Promise<TaskView>;
  cancel(id: string): Promise<TaskView>;
  resubscribe(id: string): AsyncGenerator<EventView>;
  /** Registers a hook for a task, and answers the url under which it reads it back. */
  push(taskId: string, hook: Hook): Promise<string | undefined>;
  close?(): void;
}

/** One kind of client: a row of the matrix. */
export interface ClientKind {
  readonly name: string;
  /** Its messages have ids. */
  readonly messageIds: boolean;
  /** It names its tasks and sessions itself. */
  readonly choosesIds: boolean;
  /** What a stream begins with: the task, or its state. */
  readonly begins: 'task' | 'status';
  /** Events of its dialect say whether they are the last. */
  readonly finals: boolean;
  /** Its library hands on whether a chunk continues an artifact. */
  readonly appends: boolean;
  /** What its webhooks get. */
  readonly delivery: (body: unknown) => EventView;
  /** Files have names in its form. */
  readonly names: boolean;
  /** In which dialect they get it: a whole task in the older ones, an event in 1.0. */
  readonly webhook: Era | '1.0';
  /** The published schemas of what it is answered; HTTP+JSON of 0.3 has none. */
  readonly schema: Era | undefined;
  /** What it has no way to say, and is said for it in plain requests of its dialect. */
  readonly elsewhere?: readonly Operation[];
  /** The endpoint of the agent is found through its card. `base` ends in `/`. */
  connect(base: string): Promise<MatrixClient>;
}
