import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { RollcallError } from '../../errors.ts';
import { quickCall } from '../../grpc/quick-call.ts';
import type { FlyteLog } from '../source.ts';
import { toStatus } from '../status.ts';

/** The circumstances of a call that go on to the deployment. */
export interface CallContext {
  /** Epoch milliseconds; Infinity when the caller set none. */
  readonly deadline: number;
  /** Aborted when the caller cancels. */
  readonly signal: AbortSignal;
  readonly metadata: Metadata;
}

/** What goes on to a deployment: tracing alone. The caller's credentials are for us, not for whoever runs the agent. */
const FORWARDED_REQUEST_METADATA = ['traceparent', 'tracestate', 'baggage', 'x-request-id'];
/** What comes back from one. */
const FORWARDED_RESPONSE_METADATA = ['grpc-status-details-bin', 'x-request-id'];

function allowed(from: Metadata, names: readonly string[]): Metadata {
  const to = new Metadata();
  for (const name of names) for (const value of from.get(name)) to.add(name, value);
  return to;
}

/** What unary and streaming calls have in common. */
interface IncomingCall {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  on(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

/** Of a call that came in. */
export interface IncomingContext extends CallContext {
  /** To be called when the answer is given: grpc says of every call in the end that it was cancelled. */
  readonly answered: () => void;
}

/** The circumstances of a call that came in. */
export function contextOf(call: IncomingCall): IncomingContext {
  const controller = new AbortController();
  const cancel = (): void => controller.abort();
  call.on('cancelled', cancel);
  if (call.cancelled) cancel();
  return {
    deadline: Number(call.getDeadline()),
    signal: controller.signal,
    metadata: allowed(call.metadata, FORWARDED_REQUEST_METADATA),
    answered: () => call.off('cancelled', cancel),
  };
}

/**
 * The deadline for the other side: the caller's, less what we need to answer in time ourselves, and at most `capMs` from now.
 */
export function upstreamDeadline(callerDeadline: number, capMs: number): number {
  const now = Date.now();
  const left = callerDeadline - now;
  return Math.min(callerDeadline - Math.min(250, Math.max(0, left / 10)), now + capMs);
}

/** How long a deployment is waited for, at most, when the caller gave no deadline. */
const PATIENCE_MS = 60_000;

/** When to stop trying: with the time that the caller and the operation leave, and some day where the caller waits for ever. */
export const retryUntil = (callerDeadline: number, capMs: number): number =>
  upstreamDeadline(callerDeadline, Number.isFinite(callerDeadline) ? capMs : Math.min(capMs, PATIENCE_MS));

const identity = (bytes: Buffer): Buffer => bytes;

/** The codecs of a raw method, in the order in which grpc-js wants them. */
export const RAW = [identity, identity] as const;

/**
 * A failure as it was meant. When a connection breaks, grpc-js may hear first that its streams were reset, and then says
 * that the call was cancelled; nobody cancelled it, and it may be worth another try. Our own cancelling has another text.
 */
export function withLostConnection(error: ServiceError): ServiceError {
  if (error.code !== status.CANCELLED || error.details !== 'Call cancelled') return error;
  const lost = { code: status.UNAVAILABLE, details: 'The deployment ended the call without an answer.' };
  return Object.assign(new Error(lost.details, { cause: error }), lost, { metadata: error.metadata });
}

/** One unary call, bytes in and bytes out. Rejects with grpc's ServiceError. */
export function unary(client: Client, path: string, request: Buffer, context: CallContext): Promise<Buffer> {
  const { deadline, metadata, signal } = context;
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(path, ...RAW, request, metadata, { deadline }, (error, response) => {
      signal.removeEventListener('abort', cancel);
      if (error !== null) reject(withLostConnection(error));
      else resolve(response ?? Buffer.alloc(0));
    });
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
  });
}

/** As {@link unary}, for a call that is made often and may be made again: in half of the processor time. */
export const quickUnary: typeof unary = (client, path, request, context) =>
  quickCall(client, path, request, context).catch((error: ServiceError) => {
    throw withLostConnection(error);
  });

/** The gRPC code of anything thrown on the way to a deployment. */
export function codeOf(error: unknown): number {
  if (error instanceof RollcallError) return error.shape.grpc;
  const code = error instanceof Error ? (error as Partial<ServiceError>).code : undefined;
  return typeof code === 'number' ? code : status.INTERNAL;
}

/** Failures that pass by themselves: worth another try where doing it twice is harmless. */
const PASSING: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.INTERNAL,
  // What a Python agent gives for any exception that it did not foresee.
  status.UNKNOWN,
]);

/** Whether a failure of that gRPC code is worth another try. */
export const isPassing = (code: number): boolean => PASSING.has(code);

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Tries again while the failure is of a kind that passes and there is time left.
 * @param deadline epoch milliseconds
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  passes: (code: number) => boolean,
  deadline: number,
  signal: AbortSignal,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      const pause = pauseMs * (0.5 + Math.random());
      if (!passes(codeOf(error)) || Date.now() + pause >= deadline) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
}

/** Anything thrown on the way to a deployment, as the status for the caller. */
export function routedStatus(thrown: unknown, log: FlyteLog): Partial<StatusObject> {
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return { code: status.CANCELLED, details: 'The caller cancelled.' };
  }
  const error = thrown as Partial<ServiceError>;
  if (thrown instanceof RollcallError || typeof error.code !== 'number' || !(error.metadata instanceof Metadata)) {
    return toStatus(thrown, log);
  }
  return {
    code: error.code,
    details: withoutTraceback(error.details ?? ''),
    metadata: allowed(error.metadata, FORWARDED_RESPONSE_METADATA),
  };
}

const MAX_DETAILS = 2_000;

/** Agents in Python put their whole traceback into the text that users see: only what it comes to is kept. */
export function withoutTraceback(details: string): string {
  const at = details.indexOf('Traceback (most recent call last)');
  if (at < 0) return details.slice(0, MAX_DETAILS);
  const frames = /^(\s|Traceback|During handling|The above exception)/;
  const said = details
    .slice(at)
    .split('\n')
    .filter((line) => line.trim() !== '' && !frames.test(line));
  return `${details.slice(0, at)}${said.at(-1) ?? ''}`.trim().slice(0, MAX_DETAILS);
}
