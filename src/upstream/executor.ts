import type { StreamEvent, Task } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import type { Credentials } from './credentials.ts';

/** What an executor needs to know about an agent. The registry's agent is one. */
export interface UpstreamAgent {
  readonly id: string;
  readonly handle: string;
  readonly executionType: string;
  readonly url: string | null;
  readonly interfaces: readonly UpstreamInterface[];
  readonly streaming: boolean;
}

/** Where an agent speaks A2A; in order of preference. */
export interface UpstreamInterface {
  readonly url: string;
  readonly binding: string;
  readonly protocolVersion: string;
  readonly dialect: 'early' | '0.3' | '1.0';
  readonly tenant?: string;
}

/** An agent and how to sign in to it. */
export interface UpstreamTarget {
  readonly agent: UpstreamAgent;
  readonly authentication: Credentials;
}

/** What goes with one call. */
export interface UpstreamCall {
  /** Ends the call; it rejects with the signal's reason. The agent is not told: that is what `cancel` is for. */
  readonly signal: AbortSignal;
  /** A2A extensions that the caller asked for, as URIs. */
  readonly extensions?: readonly string[];
  /**
   * Nothing of the message leaves before this resolves, and nothing after it when the signal has aborted; what it needs is
   * made ready meanwhile. Never rejects. Only for executors with {@link AgentExecutor.waits}.
   */
  readonly after?: Promise<void>;
}

/**
 * How one kind of agent is driven. Ids in requests and answers are the agent's own; who calls maps them. Answers are
 * what the agent said: a snapshot (`task`), a single `message`, or updates.
 *
 * Every call fails with a RollcallError: UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT, UPSTREAM_INVALID, EGRESS_DENIED, or the
 * agent's own refusal (INVALID_INPUT, TASK_NOT_FOUND, TASK_NOT_CANCELABLE, UNSUPPORTED_OPERATION, …).
 */
export interface AgentExecutor {
  /** True where `send` heeds {@link UpstreamCall.after}. */
  readonly waits?: boolean;
  /**
   * Sends a message and follows the work until the task rests: terminal, or waiting for input. The stream ends by
   * itself then; before, only with an error.
   */
  send(target: UpstreamTarget, request: SendRequest, call: UpstreamCall): AsyncIterable<StreamEvent>;
  /** Follows a task that exists, beginning with its snapshot, until it rests. */
  resubscribe(target: UpstreamTarget, taskId: string, call: UpstreamCall): AsyncIterable<StreamEvent>;
  get(target: UpstreamTarget, taskId: string, call: UpstreamCall): Promise<Task>;
  /** Asks the agent to stop; answers the task after that. */
  cancel(target: UpstreamTarget, taskId: string, call: UpstreamCall): Promise<Task>;
}
