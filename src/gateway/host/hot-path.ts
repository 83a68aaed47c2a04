import type { FastifyRequest } from 'fastify';
import { type DocumentNode, type GraphQLSchema, getOperationAST, Kind } from 'graphql';
import type { Metrics } from '../../http/metrics.ts';
import type { GatewayContext } from '../engine.ts';
import { KeptDocuments } from '../kept-documents.ts';
import { LruMap } from '../lru.ts';
import type { Graph } from './graph.ts';
import { checkLimits, type QueryLimits } from './limits.ts';

export interface HotPathOptions {
  readonly graph: Graph;
  readonly limits: QueryLimits;
  readonly metrics: Metrics;
}

/** How many forms of the Accept header are remembered. */
const MOST_ACCEPTS = 100;

type Body = { readonly [K in 'query' | 'operationName' | 'variables' | 'extensions']?: unknown };

/**
 * Queries that Apollo Server has parsed, validated and answered before run straight on the engine: its pipeline costs
 * more than most of them. It stays the owner of everything else: the first request with a text or an Accept header,
 * mutations, persisted queries, and the form of errors.
 */
export class HotPath {
  readonly #options: HotPathOptions;
  readonly #documents = new WeakMap<GraphQLSchema, KeptDocuments<DocumentNode>>();
  readonly #contentTypes = new LruMap<string, string>(MOST_ACCEPTS);

  constructor(options: HotPathOptions) {
    this.#options = options;
  }

  /** Remembers a document that is valid for the schema, if it holds nothing but queries. */
  rememberDocument(schema: GraphQLSchema, source: string, document: DocumentNode): void {
    if (!document.definitions.every((d) => d.kind !== Kind.OPERATION_DEFINITION || d.operation === 'query')) return;
    let known = this.#documents.get(schema);
    if (known === undefined) {
      known = new KeptDocuments();
      this.#documents.set(schema, known);
    }
    if (known.get(source) !== document) known.set(source, document, document);
  }

  /** Remembers what Accept was answered with. */
  rememberContentType(accept: string | undefined, contentType: string | undefined): void {
    if (contentType?.startsWith('application/') === true) this.#contentTypes.set(accept ?? '', contentType);
  }

  /**
   * Answers a request that is like one before, or does not (undefined): then Apollo Server must. A result with errors is
   * left in the context, so that Apollo forms the answer without running the query a second time.
   */
  async answer(
    request: FastifyRequest,
    context: GatewayContext,
  ): Promise<{ readonly contentType: string; readonly text: string } | undefined> {
    const from = performance.now();
    const body = request.body as Body | null | undefined;
    const contentType = this.#contentTypes.get(request.headers.accept ?? '');
    if (contentType === undefined || request.method !== 'POST' || !isPlain(body)) return undefined;
    const { graph, limits, metrics } = this.#options;
    const { schema } = graph.engine;
    const document = this.#documents.get(schema)?.get(body.query);
    const operation = document && getOperationAST(document, body.operationName);
    if (!document || !operation || checkLimits(schema, document, operation, body.variables, limits).length > 0)
      return undefined;
    const result = await graph.flawless(schema, {
      document,
      variables: body.variables ?? {},
      operationName: body.operationName ?? undefined,
      operationType: 'query',
      context,
    });
    if (result === undefined) return undefined;
    const label = metrics.operationNames.label(operation.name?.value);
    metrics.graphql.observe({ operation: label, type: 'query', outcome: 'ok' }, (performance.now() - from) / 1000);
    const { data, extensions } = result;
    return { contentType, text: `${JSON.stringify(extensions === undefined ? { data } : { data, extensions })}\n` };
  }
}

type PlainBody = {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Record<string, unknown> | null;
};

/** True for the members as every client sends them; whatever is odd is Apollo's to refuse. */
const isPlain = (body: Body | null | undefined): body is PlainBody =>
  typeof body === 'object' &&
  body !== null &&
  typeof body.query === 'string' &&
  body.extensions === undefined &&
  (body.operationName == null || typeof body.operationName === 'string') &&
  (body.variables == null || (typeof body.variables === 'object' && !Array.isArray(body.variables)));
