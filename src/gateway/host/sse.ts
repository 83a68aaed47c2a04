import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createHandler } from 'graphql-sse';
import type { Logger } from 'pino';
import { atExpiry } from '../../auth/expiry.ts';
import { RollcallError } from '../../errors.ts';
import { admit, type Gate } from '../../http/gate.ts';
import type { ContextFactory } from './context.ts';
import type { Graph } from './graph.ts';
import type { LoadLimit } from './load-limit.ts';
import { maskErrors } from './mask.ts';
import type { Operations } from './operations.ts';
import { type Payload, prepare, runOn } from './run-checked.ts';
import { Reservations } from './sse-reservations.ts';
import { type SseAnswer, sendSse } from './sse-response.ts';

export interface GraphSseOptions {
  readonly path: string;
  readonly graph: Graph;
  readonly gate: Gate;
  readonly contextOf: ContextFactory;
  readonly operations: Operations;
  readonly load: LoadLimit;
  readonly log: Logger;
}

/** How long a stream may take to say that its reader's token ended, before the connection is closed. Milliseconds. */
const GOODBYE_MS = 1_000;

/** GraphQL over server-sent events (graphql-sse protocol, distinct connections and single connection mode) at `path`. */
export function addGraphSse(app: FastifyInstance, options: GraphSseOptions): void {
  const { graph, operations, gate, log } = options;
  const execute = runOn(graph, options.load, gate);
  /** The token of the stream that a request is about, once it is known to be its caller's. */
  const tokens = new WeakMap<FastifyRequest, string>();
  const handle = createHandler<FastifyRequest | undefined>({
    execute: execute as never,
    subscribe: execute as never,
    // Without a token the operation has a connection to itself.
    authenticate: ({ raw, headers }) =>
      (raw === undefined ? headers.get('x-graphql-event-stream-token') : tokens.get(raw)) as string,
    onSubscribe: ({ raw }, payload) => {
      const { principal, headers, id } = raw!;
      const context = () => options.contextOf({ principal: principal!, headers, requestId: id });
      return prepare(graph, operations, payload as Payload, context) as never;
    },
    onNext: (_context, _request, result) =>
      result.errors === undefined ? result : ({ ...result, errors: maskErrors(result.errors, log) } as never),
  });
  const ask = async (
    request: FastifyRequest | undefined,
    method: string,
    headers: Readonly<Record<string, unknown>>,
  ): Promise<SseAnswer> =>
    handle({
      method,
      url: request?.url ?? '/',
      headers: { get: (name) => (headers[name] as string | undefined) ?? null },
      body: request?.body as Record<string, unknown>,
      raw: request,
      context: undefined,
    }) as Promise<SseAnswer>;

  const reservations = new Reservations((token) => {
    // The library forgets a stream only when its reader leaves: so somebody reads it, and leaves.
    const headers = { accept: 'text/event-stream', 'x-graphql-event-stream-token': token };
    void ask(undefined, 'GET', headers)
      .then(([body]) => (body !== null && typeof body !== 'string' ? body.return(undefined) : undefined))
      .catch((error: unknown) => log.warn({ err: error }, 'a reserved stream could not be given up'))
      .finally(() => reservations.ended(token));
  });

  /** Finds the stream that a request is about. @throws RollcallError NOT_FOUND, RATE_LIMITED. */
  const settleToken = (request: FastifyRequest): void => {
    const owner = gate.keyOf(request.principal!);
    if (request.method === 'PUT') {
      tokens.set(request, reservations.make(owner, gate.openStream(request.principal!)));
      return;
    }
    const token = Reservations.tokenIn(request);
    if (token === undefined) return;
    if (!reservations.isOf(token, owner))
      throw new RollcallError('NOT_FOUND', 'token: there is no event stream of yours under it; reserve one with PUT.');
    tokens.set(request, token);
  };

  const endsWithToken = (request: FastifyRequest, reply: FastifyReply): void => {
    const callOff = atExpiry(request.principal!, () => {
      const late = setTimeout(() => reply.raw.end(), GOODBYE_MS).unref();
      reply.raw.once('close', () => clearTimeout(late));
    });
    reply.raw.once('close', callOff);
  };

  app.route({
    method: ['GET', 'POST', 'PUT', 'DELETE'],
    url: options.path,
    async handler(request, reply) {
      await admit(gate, request, reply);
      settleToken(request);
      const token = tokens.get(request);
      const answer = await ask(request, request.method, request.headers);
      const [body, { status }] = answer;
      if (request.method === 'PUT' && status !== 201) reservations.ended(token!);
      if (body !== null && typeof body !== 'string') {
        endsWithToken(request, reply);
        if (token !== undefined) {
          reservations.opened(token);
          reply.raw.once('close', () => reservations.ended(token));
        }
      }
      await sendSse(reply, answer);
      return reply;
    },
  });
}
