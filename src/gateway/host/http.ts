import { ApolloServer, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import type { Authenticator } from '../../auth/authenticator.ts';
import { RollcallError } from '../../errors.ts';
import type { Metrics } from '../../http/metrics.ts';
import { fromHttpError } from '../../http/server.ts';
import type { GatewayContext } from '../engine.ts';
import type { ContextFactory } from './context.ts';
import type { Graph } from './graph.ts';
import { HotPath } from './hot-path.ts';
import { checkLimits, type QueryLimits } from './limits.ts';
import { maskError } from './mask.ts';

/** What a GraphQL-over-HTTP endpoint needs. */
export interface GraphHttpOptions {
  readonly path: string;
  readonly graph: Graph;
  readonly authenticator: Authenticator;
  readonly contextOf: ContextFactory;
  readonly limits: QueryLimits;
  readonly introspection: boolean;
  readonly maxBodyBytes: number;
  /** Whether queries that were answered before run past Apollo Server's pipeline. */
  readonly hotPath: boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The page for browsers that open the endpoint; none without it. */
  readonly page?: ((request: FastifyRequest, reply: FastifyReply) => unknown) | undefined;
}

/** A request that GraphQL refuses before running it. GraphQL over HTTP §6.4.1: an application/json answer to it has status 200. */
const REFUSED = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'QUERY_TOO_COMPLEX',
]);

/** Apollo Server would answer a subscription with an empty object. */
const ELSEWHERE =
  'Subscriptions are not answered here: open a WebSocket (graphql-transport-ws) at /graphql, or use server-sent events at /graphql/stream.';

/** Marks such an answer on its way from Apollo Server to the handler, which takes it off again. */
const REFUSED_MARK = 'x-rollcall-refused';

/** Starts Apollo Server on a graph: it owns parsing, validation, negotiation and the shape of answers. */
async function startApollo(
  { graph, limits, introspection, log, metrics }: GraphHttpOptions,
  hotPath: HotPath,
): Promise<ApolloServer<GatewayContext>> {
  const server = new ApolloServer<GatewayContext>({
    gateway: graph,
    introspection,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !introspection,
    stopOnTerminationSignals: false,
    // http/page-guard.ts refuses what a page of another site sends; Apollo's own check would refuse plain GET clients too.
    csrfPrevention: false,
    parseOptions: { maxTokens: limits.maxTokens },
    // The gateway's cost limit counts what a selection returns; Apollo's own count would stop GraphiQL's introspection.
    maxRecursiveSelections: false,
    cache: 'bounded',
    formatError: (formatted, error) => maskError(formatted, error, log),
    logger: {
      debug: (m) => log.debug(m),
      info: (m) => log.debug(m),
      warn: (m) => log.warn(m),
      error: (m) => log.error(m),
    },
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      // Costs 1.3 times a request, for a header that a graph of live data must not send.
      ApolloServerPluginCacheControlDisabled(),
      {
        async requestDidStart() {
          const from = performance.now();
          return {
            async didResolveOperation({ schema, document, operation, request, source }) {
              const [error] =
                operation === undefined ? [] : checkLimits(schema, document, operation, request.variables, limits);
              if (error !== undefined) throw error;
              if (operation?.operation === 'subscription')
                throw new GraphQLError(ELSEWHERE, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
              hotPath.rememberDocument(schema, source, document);
            },
            async willSendResponse({ operation, errors, response }) {
              if (errors?.some((e) => REFUSED.has(String(e.extensions?.['code']))))
                response.http.headers.set(REFUSED_MARK, '1');
              metrics.graphql.observe(
                { type: operation?.operation ?? 'none', outcome: errors === undefined ? 'ok' : 'error' },
                (performance.now() - from) / 1000,
              );
            },
          };
        },
      },
    ],
  });
  await server.start();
  return server;
}

/** Adds a GraphQL-over-HTTP endpoint: POST, GET for queries, and a page for browsers. Answers the function that stops it. */
export async function addGraphHttp(app: FastifyInstance, options: GraphHttpOptions): Promise<() => Promise<void>> {
  const hotPath = new HotPath(options);
  const server = await startApollo(options, hotPath);

  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const principal = await options.authenticator.authenticate(request.headers.authorization);
    const context = options.contextOf({ principal, headers: request.headers, requestId: request.id });
    const quick = options.hotPath ? await hotPath.answer(request, context) : undefined;
    if (quick !== undefined) {
      reply.header('content-type', quick.contentType).send(quick.text);
      return;
    }
    const headers = new HeaderMap();
    for (const [name, value] of Object.entries(request.headers))
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
    const answer = await server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method,
        headers,
        search: new URL(request.url, 'http://x').search,
        body: request.body ?? {},
      },
      context: async () => context,
    });
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
    const refused = answer.headers.delete(REFUSED_MARK);
    reply.code(isJson && refused ? 200 : (answer.status ?? 200));
    for (const [name, value] of answer.headers) reply.header(name, value);
    if (answer.body.kind === 'complete') {
      if (answer.status === undefined)
        hotPath.rememberContentType(request.headers.accept, answer.headers.get('content-type'));
      reply.send(answer.body.string);
      return;
    }
    reply.hijack();
    reply.raw.writeHead(answer.status ?? 200, Object.fromEntries(answer.headers));
    for await (const chunk of answer.body.asyncIterator) reply.raw.write(chunk);
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
  return () => server.stop();
}

/** A browser that opens the endpoint, not a client that asks it something. */
const wantsPage = (request: FastifyRequest): boolean =>
  (request.headers.accept ?? '').includes('text/html') && !/[?&](query|extensions)=/.test(request.url);

function sendGraphError(reply: FastifyReply, error: RollcallError, log: Logger, original: unknown): void {
  if (error.code === 'INTERNAL') log.error({ err: original }, 'a GraphQL request failed');
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  reply
    .code(error.shape.http)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ errors: [{ message: error.message, extensions: error.extensions }] }));
}
