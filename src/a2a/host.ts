import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type RollcallError, toRollcallError } from '../errors.ts';
import type { A2aCore } from './call.ts';
import type { OpenCalls } from './open-calls.ts';

/** What the HTTP bindings of A2A share. */
export interface A2aHost {
  readonly core: A2aCore;
  readonly calls: OpenCalls;
  readonly heartbeatMs: number;
  readonly log: Logger;
}

/** One way of calling over HTTP. */
export interface HttpBinding {
  handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
  /** Answers a request that {@link handle} never got: nobody signed in, a body past the limit or of another type. */
  refuse(request: FastifyRequest, reply: FastifyReply, error: RollcallError): unknown;
}

/** Anything thrown as one of our errors; what nobody expected is logged. */
export function failureOf(host: A2aHost, request: FastifyRequest, thrown: unknown): RollcallError {
  const error = toRollcallError(thrown);
  if (error.code === 'INTERNAL') host.log.error({ err: thrown, requestId: request.id }, 'an A2A call failed');
  return error;
}

/** The signal of a call over HTTP: it aborts when the connection closes before the answer is sent. */
export function openCall({ calls }: A2aHost, { raw }: FastifyReply, streaming: boolean): AbortSignal {
  const { signal, end } = calls.open(streaming);
  raw.once('close', end);
  return signal;
}
