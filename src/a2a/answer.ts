import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RollcallError } from '../errors.ts';
import { sayWhen } from '../http/gate.ts';
import type { DialectName } from '../protocol/a2a/dialects/index.ts';
import { toHttpError } from '../protocol/a2a/errors.ts';
import { errorEnvelope, type JsonRpcId, resultEnvelope } from '../protocol/a2a/jsonrpc.ts';
import { type StreamFormat, sendEvents } from './event-stream.ts';
import type { Outcome } from './execute.ts';
import { type A2aHost, failureOf } from './host.ts';

/** How one kind of caller is answered. */
export interface AnswerFormat {
  result(reply: FastifyReply, result: unknown): unknown;
  error(reply: FastifyReply, error: RollcallError): unknown;
  /** Absent where not even a stream is answered. */
  readonly stream?: {
    readonly event: StreamFormat['event'];
    failure(error: RollcallError): ReturnType<StreamFormat['failure']>;
  };
}

/** Answers a call with what `begin` promises: a value, a stream, or the error that it throws. */
export async function answer(
  host: A2aHost,
  { request, reply, format, signal }: AnswerTo,
  begin: () => Promise<Outcome>,
): Promise<unknown> {
  try {
    const { headers, result, frames } = await begin();
    reply.headers(headers);
    if (frames === undefined || format.stream === undefined) return await format.result(reply, result);
    const { event, failure } = format.stream;
    const failed: StreamFormat['failure'] = (thrown) => failure(failureOf(host, request, thrown));
    await sendEvents(reply, frames, { event, failure: failed }, { signal, heartbeatMs: host.heartbeatMs });
    return reply;
  } catch (thrown) {
    // Nobody is there to hear of it.
    if (reply.raw.destroyed) return reply.hijack();
    return format.error(reply, failureOf(host, request, thrown));
  }
}

export interface AnswerTo {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly format: AnswerFormat;
  readonly signal: AbortSignal;
}

const send = (reply: FastifyReply, status: number, body: unknown, type = 'application/json'): FastifyReply =>
  reply.code(status).header('content-type', `${type}; charset=utf-8`).send(JSON.stringify(body));

const challenge = (reply: FastifyReply, error: RollcallError): FastifyReply =>
  error.code === 'UNAUTHENTICATED' ? reply.header('www-authenticate', 'Bearer') : sayWhen(reply, error);

/** Failures of HTTP itself, which keep their status; JSON-RPC's own are answered with 200 (JSON-RPC over HTTP). */
const OF_HTTP: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'RATE_LIMITED',
]);

const rpcStatus = ({ code, shape }: RollcallError): number => (OF_HTTP.has(code) ? shape.http : 200);

/** A JSON-RPC envelope around everything. `statusOf` says under which HTTP status an error goes out. */
export const enveloped = (id: JsonRpcId, dialect: DialectName, statusOf = rpcStatus): AnswerFormat => ({
  result: (reply, result) => send(reply, 200, resultEnvelope(id, result)),
  error: (reply, error) => send(challenge(reply, error), statusOf(error), errorEnvelope(id, error, dialect)),
  stream: {
    event: (value) => resultEnvelope(id, value),
    failure: (error) => ({ data: errorEnvelope(id, error, dialect) }),
  },
});

/** Plain values under HTTP status codes. `status` is that of a success; 204 has no body. */
export const bare = (dialect: DialectName, status: number, type?: string): AnswerFormat => ({
  result: (reply, result) => (status === 204 ? reply.code(204).send() : send(reply, status, result, type)),
  error(reply, error) {
    const { status: failed, body } = toHttpError(error, dialect);
    return send(challenge(reply, error), failed, body, type);
  },
  stream: {
    event: (value) => value,
    failure: (error) => ({ event: 'error', data: toHttpError(error, dialect).body }),
  },
});

const silent = (reply: FastifyReply): FastifyReply => reply.code(204).send();

/** A notification is carried out, and never answered (JSON-RPC 2.0 §4.1). */
const unanswered: AnswerFormat = { result: silent, error: silent };

/** How a call by JSON-RPC is answered. */
export const formatOf = (id: JsonRpcId | undefined, dialect: DialectName): AnswerFormat =>
  id === undefined ? unanswered : enveloped(id, dialect);
