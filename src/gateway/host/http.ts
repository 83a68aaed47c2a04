import { HeaderMap } from '@apollo/server';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import type { RollcallError } from '../../errors.ts';
import { admit, type Gate, sayWhen } from '../../http/gate.ts';
import type { Metrics } from '../../http/metrics.ts';
import { fromHttpError } from '../../http/server.ts';
import type { GatewayContext } from '../engine.ts';
import { notLoaded } from '../live/unloaded.ts';
import { REFUSED_MARK, startApollo } from './apollo.ts';
import type { ContextFactory } from './context.ts';
import type { Graph } from './graph.ts';
import { HotPath } from './hot-path.ts';
import type { QueryLimits } from './limits.ts';
import { type LoadLimit, RETRY_AFTER_SECONDS } from './load-limit.ts';

/** What a GraphQL-over-HTTP endpoint needs. */
export interface GraphHttpOptions {
  readonly path: string;
  readonly graph: Graph;
  readonly gate: Gate;
  readonly contextOf: ContextFactory;
  readonly limits: QueryLimits;
  readonly introspection: boolean;
  readonly maxBodyBytes: number;
  /** Whether queries that were answered before run past Apollo Server's pipeline. */
  readonly hotPath: boolean;
  readonly load: LoadLimit;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The same graph as a schema to run field by field, for routers that ask for traces (`ftv1`); none without it. */
  readonly tracedSchema?: GraphQLSchema | undefined;
  /** The page for browsers that open the endpoint; none without it. */
  readonly page?: ((request: FastifyRequest, reply: FastifyReply) => unknown) | undefined;
}

/** Adds a GraphQL-over-HTTP endpoint: POST, GET for queries, and a page for browsers. Answers the function that stops it. */
export async function addGraphHttp(app: FastifyInstance, options: GraphHttpOptions): Promise<() => Promise<void>> {
  const hotPath = new HotPath(options);
  const server = await startApollo(options, hotPath);
  const traced =
    options.tracedSchema === undefined ? undefined : await startApollo(options, hotPath, options.tracedSchema);

  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!options.graph.loaded) throw notLoaded();
    const principal = await admit(options.gate, request, reply);
    const context: GatewayContext = Object.assign(
      options.contextOf({ principal, headers: request.headers, requestId: request.id }),
      { returnHeader: (name: string, value: string | string[]) => void reply.header(name, value) },
    );
    await options.load.run(() => answer(request, reply, context));
  };

  const answer = async (request: FastifyRequest, reply: FastifyReply, context: GatewayContext): Promise<void> => {
    // Timing every field costs many times the query: only a router's sampled requests ask for it.
    const wantsTrace = traced !== undefined && request.headers['apollo-federation-include-trace'] === 'ftv1';
    const quick = options.hotPath && !wantsTrace ? await hotPath.answer(request, context) : undefined;
    if (quick !== undefined) {
      reply.header('content-type', quick.contentType).send(bytesOf(quick.text));
      return;
    }
    const headers = new HeaderMap();
    for (const [name, value] of Object.entries(request.headers))
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
    const response = await (wantsTrace ? traced : server).executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method,
        headers,
        search: request.method === 'GET' ? new URL(request.url, 'http://x').search : '',
        body: request.body ?? {},
      },
      context: async () => context,
    });
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const refused = response.headers.delete(REFUSED_MARK);
    reply.code(isJson && refused ? 200 : (response.status ?? 200));
    for (const [name, value] of response.headers) reply.header(name, value);
    if (response.body.kind === 'complete') {
      if (response.status === undefined)
        hotPath.rememberContentType(request.headers.accept, response.headers.get('content-type'));
      reply.send(bytesOf(response.body.string));
      return;
    }
    reply.hijack();
    reply.raw.writeHead(response.status ?? 200, Object.fromEntries(response.headers));
    for await (const chunk of response.body.asyncIterator) reply.raw.write(chunk);
    reply.raw.end();
  };

  await app.register(async (scope) => {
    // Apollo takes the parsed body; a body that is not JSON gets GraphQL's answer to it, not the problem document.
    scope.setErrorHandler((error: FastifyError, _request, reply) =>
      sendGraphError(reply, fromHttpError(error, options.maxBodyBytes), options.log, error),
    );
    scope.post(options.path, handle);
    scope.get(options.path, async (request, reply) => {
      if (options.page !== undefined && wantsPage(request)) return options.page(request, reply);
      await handle(request, reply);
      return reply;
    });
  });
  return async () => {
    await Promise.all([server.stop(), traced?.stop()]);
  };
}

/** A text is measured, joined with the head and encoded on its way out, which costs more than to do it here. */
const bytesOf = (text: string): Buffer => Buffer.from(text);

/** A browser that opens the endpoint, not a client that asks it something. */
const wantsPage = (request: FastifyRequest): boolean =>
  (request.headers.accept ?? '').includes('text/html') && !/[?&](query|extensions)=/.test(request.url);

function sendGraphError(reply: FastifyReply, error: RollcallError, log: Logger, original: unknown): void {
  if (error.code === 'INTERNAL') log.error({ err: original }, 'a GraphQL request failed');
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  sayWhen(reply, error);
  if (error.code === 'OVERLOADED') reply.header('retry-after', String(RETRY_AFTER_SECONDS));
  reply
    .code(error.shape.http)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ errors: [{ message: error.message, extensions: error.extensions }] }));
}
