import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Principal } from '../auth/principal.ts';
import { newId } from '../database/ids.ts';
import { RollcallError, toProblem, toRollcallError } from '../errors.ts';
import { doorOf, sayWhen } from './gate.ts';
import type { Metrics } from './metrics.ts';
import { guardAgainstPages } from './page-guard.ts';
import { REQUEST_ID } from './request-id.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling, once the request was admitted (see gate.ts). */
    principal?: Principal;
  }
}

/** What the HTTP host is told. */
export interface HttpOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly authenticator: Authenticator;
  readonly maxBodyBytes: number;
  readonly trustProxy: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Names under which this server may be addressed; checked only with `AUTH_MODE=none`. */
  readonly hosts: readonly string[];
  readonly corsOrigins: readonly string[];
}

/** Longest time for a request's headers, and for the whole of it: a client that sends a byte a minute is cut. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** How often the two are looked at: Node's own 30 seconds would treble the first. */
const TIMEOUT_CHECK_MS = 5_000;

/** Longest part of a path that a route names, such as the id of an agent. */
const MAX_PARAM_LENGTH = 300;

/** The HTTP host: request ids, security headers, body limits, errors as RFC 9457 problems. Faces add their routes. */
export function createHttpServer(options: HttpOptions): FastifyInstance {
  const { log, metrics, tls } = options;
  const app = fastify({
    loggerInstance: log as never,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.maxBodyBytes,
    trustProxy: options.trustProxy === 0 ? false : options.trustProxy,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
    },
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    ...(tls === undefined
      ? {}
      : {
          https: {
            cert: readFileSync(tls.certFile),
            key: readFileSync(tls.keyFile),
            headersTimeout: HEADERS_TIMEOUT_MS,
            connectionsCheckingInterval: TIMEOUT_CHECK_MS,
          },
        }),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    forceCloseConnections: 'idle',
    // Fastify answers these before any hook runs, and in a form of its own.
    frameworkErrors(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
      sayAlways(request, reply, options);
      log.debug({ requestId: request.id, reason: error.code }, 'a request has an address that cannot be read');
      sendProblem(reply, unreadableAddress(error));
    },
  } as never) as unknown as FastifyInstance;

  // Nobody logs through the request: lines say its id themselves.
  app.setChildLoggerFactory((logger) => logger);
  app.addHook('onRequest', async (request, reply) => {
    sayAlways(request, reply, options);
    try {
      guardAgainstPages(request.raw, options);
    } catch (refusal) {
      metrics.refusals.inc({ code: 'FORBIDDEN', door: doorOf(request) });
      throw refusal;
    }
  });
  app.addHook('onRequest', async (request, reply) => answerCors(request, reply, options.corsOrigins));
  // Last before the body is read: who has to sign in first is told that.
  app.addHook('preParsing', (request, _reply, _body, done) => {
    const refusal = 'Content-Encoding: compressed bodies are not taken; send the body as it is.';
    done(isCompressed(request) ? new RollcallError('UNSUPPORTED_MEDIA_TYPE', refusal) : null);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.http.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    const line = {
      requestId: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    if (reply.statusCode >= 500) log.warn(line, 'request failed');
    else log.debug(line, 'request');
  });
  app.setNotFoundHandler((request, reply) => {
    sendProblem(
      reply,
      new RollcallError('NOT_FOUND', `There is nothing at ${request.method} ${request.url.split('?')[0]}.`),
    );
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const known = fromHttpError(error, options.maxBodyBytes);
    if (known.code === 'INTERNAL') log.error({ err: error, requestId: request.id }, 'a request failed');
    sendProblem(reply, known);
  });
  return app;
}

/** The headers that every answer has. */
function sayAlways(request: FastifyRequest, reply: FastifyReply, { tls }: HttpOptions): void {
  reply.header('x-request-id', request.id);
  reply.header('x-content-type-options', 'nosniff');
  reply.header('referrer-policy', 'no-referrer');
  reply.header('x-frame-options', 'DENY');
  if (tls !== undefined) reply.header('strict-transport-security', 'max-age=31536000');
}

/** Whether the body has to be decoded before it can be read; where none is expected, the header says nothing. */
function isCompressed({ method, headers }: FastifyRequest): boolean {
  const coding = headers['content-encoding']?.trim().toLowerCase();
  return coding !== undefined && coding !== '' && coding !== 'identity' && method !== 'GET' && method !== 'HEAD';
}

const unreadableAddress = ({ code }: FastifyError): RollcallError =>
  new RollcallError(
    'INVALID_INPUT',
    code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? `A part of the path is longer than ${MAX_PARAM_LENGTH} characters.`
      : 'The path cannot be read: each % must begin the escape of a character in UTF-8.',
  );

/** An error of the HTTP host as one of ours. */
export function fromHttpError(error: FastifyError, maxBodyBytes: number): RollcallError {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE' || error.statusCode === 413) {
    return new RollcallError(
      'PAYLOAD_TOO_LARGE',
      `The request body is larger than ${maxBodyBytes} bytes (MAX_BODY_BYTES).`,
    );
  }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new RollcallError('UNSUPPORTED_MEDIA_TYPE', 'Content-Type: send application/json.');
  }
  if (error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY')
    return new RollcallError('PARSE_ERROR', 'The request body is empty; JSON was expected.');
  if (error instanceof SyntaxError || error.code === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    return new RollcallError('PARSE_ERROR', 'The request body is not valid JSON.');
  }
  if (
    error.statusCode !== undefined &&
    error.statusCode >= 400 &&
    error.statusCode < 500 &&
    !(error instanceof RollcallError)
  ) {
    return new RollcallError('INVALID_REQUEST', error.message);
  }
  return toRollcallError(error);
}

/** Answers with an RFC 9457 problem document. */
export function sendProblem(reply: FastifyReply, error: RollcallError): void {
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  sayWhen(reply, error);
  reply
    .code(error.shape.http)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(toProblem(error)));
}

const ALLOWED_HEADERS = [
  'content-type',
  'authorization',
  'a2a-version',
  'a2a-extensions',
  'x-a2a-extensions',
  'idempotency-key',
  'last-event-id',
  'if-none-match',
  'if-modified-since',
  'x-request-id',
].join(', ');

/** Headers of answers that a page could not read otherwise. */
const EXPOSED_HEADERS = [
  'a2a-version',
  'a2a-extensions',
  'x-a2a-extensions',
  'last-event-id',
  'idempotency-key',
  'www-authenticate',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'allow',
  'etag',
  'last-modified',
  'x-request-id',
].join(', ');

function answerCors(
  request: FastifyRequest,
  reply: FastifyReply,
  origins: readonly string[],
): FastifyReply | undefined {
  const { origin } = request.headers;
  if (origins.length === 0) return undefined;
  reply.header('vary', 'Origin');
  if (origin === undefined || !origins.includes(origin)) return undefined;
  reply.header('access-control-allow-origin', origin);
  reply.header('access-control-expose-headers', EXPOSED_HEADERS);
  if (request.method !== 'OPTIONS') return undefined;
  reply.header('access-control-allow-methods', 'GET, POST, DELETE, OPTIONS');
  reply.header('access-control-allow-headers', ALLOWED_HEADERS);
  reply.header('access-control-max-age', '600');
  return reply.code(204).send();
}

/** Listens, and says on which port. */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  await app.listen({ host, port });
  const address = (app.server as Server).address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
