import type { Dialect } from '../../protocol/a2a/dialects/index.ts';
import type { StreamEvent } from '../../protocol/a2a/model.ts';
import type { Operation, RequestOf, ResultOf, UnaryOperation } from '../../protocol/a2a/requests.ts';
import type { UpstreamCall } from '../executor.ts';

export type StreamingOperation = Exclude<Operation, UnaryOperation>;

/** Longest wait for an answer that comes in one piece: agents work meanwhile. */
export const UNARY_TIMEOUT_MS = 10 * 60_000;
/** Silence after which a stream is taken for dead; the task is then asked for. */
export const STREAM_IDLE_MS = 10 * 60_000;

/** An agent, spoken to in the binding and dialect of its interface. */
export interface Peer {
  readonly dialect: Dialect;
  /** The agent's handle: texts of failures of the other side begin with it. */
  readonly handle: string;
  /** One call, one answer. @throws RollcallError as {@link AgentExecutor} says; the signal's reason on abort. */
  call<O extends UnaryOperation>(
    operation: O,
    request: RequestOf[O],
    call: UpstreamCall,
    timeoutMs?: number,
  ): Promise<ResultOf[O]>;
  /** One call, a stream of events until the agent ends it. */
  stream<O extends StreamingOperation>(
    operation: O,
    request: RequestOf[O],
    call: UpstreamCall,
  ): AsyncGenerator<{ readonly event: StreamEvent; readonly final: boolean }>;
}
