import {
  ApolloServer,
  type GraphQLRequestContextResponseForOperation,
  type GraphQLResponse,
  HeaderMap,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginInlineTrace } from '@apollo/server/plugin/inlineTrace';
import { type DocumentNode, GraphQLError, type GraphQLSchema } from 'graphql';
import type { GatewayContext } from '../engine.ts';
import { KeptDocuments } from '../kept-documents.ts';
import { ANSWERED, type Graph } from './graph.ts';
import type { HotPath } from './hot-path.ts';
import type { GraphHttpOptions } from './http.ts';
import { checkLimits } from './limits.ts';
import { maskError } from './mask.ts';

/** What Apollo Server is started with. */
export type ApolloOptions = Pick<GraphHttpOptions, 'path' | 'graph' | 'limits' | 'introspection' | 'log' | 'metrics'>;

/** A request that GraphQL refuses before running it. GraphQL over HTTP §6.4.1: an application/json answer to it has status 200. */
const REFUSED = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'QUERY_TOO_COMPLEX',
]);

/** Apollo Server would answer a subscription with an empty object. */
const elsewhere = (path: string): string =>
  `Subscriptions are not answered here: open a WebSocket (graphql-transport-ws) at ${path}, or use server-sent events at ${path}/stream.`;

/** Marks such an answer on its way from Apollo Server to the handler, which takes it off again. */
export const REFUSED_MARK = 'x-rollcall-refused';

/**
 * Starts Apollo Server on a graph: it owns parsing, validation, negotiation and the shape of answers. With a
 * `tracedSchema` it runs that field by field instead, and answers with the trace that a router asks for.
 */
export async function startApollo(
  { path, graph, limits, introspection, log, metrics }: ApolloOptions,
  hotPath: HotPath,
  tracedSchema?: GraphQLSchema,
): Promise<ApolloServer<GatewayContext>> {
  const server = new ApolloServer<GatewayContext>({
    ...(tracedSchema === undefined ? { gateway: graph } : { schema: tracedSchema }),
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
    documentStore: documentStore(),
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
      tracedSchema === undefined ? ApolloServerPluginInlineTraceDisabled() : ApolloServerPluginInlineTrace(),
      {
        async requestDidStart() {
          const from = performance.now();
          return {
            async didResolveOperation({ schema, document, operation, request, source }) {
              const [error] =
                operation === undefined ? [] : checkLimits(schema, document, operation, request.variables, limits);
              if (error !== undefined) throw error;
              if (operation?.operation === 'subscription')
                throw new GraphQLError(elsewhere(path), { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
              hotPath.rememberDocument(schema, source, document);
            },
            ...(tracedSchema === undefined ? { responseForOperation: (asked) => flawlessResponse(graph, asked) } : {}),
            async willSendResponse({ operation, errors, response }) {
              if (errors?.some((e) => REFUSED.has(String(e.extensions?.['code']))))
                response.http.headers.set(REFUSED_MARK, '1');
              metrics.graphql.observe(
                {
                  operation: metrics.operationNames.label(operation?.name?.value),
                  type: operation?.operation ?? 'none',
                  outcome: errors === undefined ? 'ok' : 'error',
                },
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

/**
 * What Apollo Server keeps documents in. Its own store takes 30 MiB of them as JSON, which is ten thousand small ones:
 * what the engine has compiled of a document stays as long as the document, and takes ten times that.
 */
function documentStore() {
  const kept = new KeptDocuments<DocumentNode>();
  return {
    get: async (key: string) => kept.get(key),
    set: async (key: string, document: DocumentNode) => kept.set(key, document, document),
    delete: async (key: string) => kept.delete(key),
  };
}

const NO_HEAD = { headers: new HeaderMap() };

/**
 * The response where the result has no errors: Apollo Server then leaves out its own execution step, which makes an
 * object for each request that keeps the whole result in memory until the next full collection (5.5.1: an accessor in
 * the executor's argument). A result with errors is kept for that step, where they are formatted and masked.
 */
async function flawlessResponse(
  graph: Graph,
  {
    schema,
    document,
    operation,
    operationName,
    request,
    contextValue,
  }: GraphQLRequestContextResponseForOperation<GatewayContext>,
): Promise<GraphQLResponse | null> {
  if ((operation as object | undefined) === undefined || ANSWERED in contextValue) return null;
  const result = await graph.flawless(schema, {
    document,
    variables: request.variables ?? {},
    operationName: operationName ?? undefined,
    operationType: operation.operation,
    context: contextValue,
  });
  return result === undefined ? null : { http: NO_HEAD, body: { kind: 'single', singleResult: result as never } };
}
