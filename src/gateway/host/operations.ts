import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { KeptDocuments } from '../kept-documents.ts';
import { checkLimits, type QueryLimits } from './limits.ts';

/** An operation that may run. */
export interface CheckedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

/**
 * Parses, validates and limits operations for the hosts that Apollo Server does not own (WebSocket, SSE). Documents are
 * kept per schema, so that a thousand equal subscriptions are validated once.
 */
export class Operations {
  readonly #limits: QueryLimits;
  readonly #documents = new WeakMap<GraphQLSchema, KeptDocuments<DocumentNode>>();

  constructor(limits: QueryLimits) {
    this.#limits = limits;
  }

  /** The operation, or what is wrong with it. */
  check(
    schema: GraphQLSchema,
    query: string,
    operationName: string | null | undefined,
    variables: Record<string, unknown> | null | undefined,
  ): CheckedOperation | readonly GraphQLError[] {
    const document = this.#document(schema, query);
    if (!('kind' in document)) return document;
    const operation = getOperationAST(document, operationName);
    if (operation == null) {
      return [
        new GraphQLError(
          operationName == null
            ? 'The document has several operations: say which one in operationName.'
            : `The document has no operation named ${JSON.stringify(operationName)}.`,
          { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } },
        ),
      ];
    }
    const errors = checkLimits(schema, document, operation, variables, this.#limits);
    return errors.length > 0 ? errors : { document, operation };
  }

  #document(schema: GraphQLSchema, query: string): DocumentNode | readonly GraphQLError[] {
    let known = this.#documents.get(schema);
    if (known === undefined) {
      known = new KeptDocuments();
      this.#documents.set(schema, known);
    }
    const cached = known.get(query);
    if (cached !== undefined) return cached;
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: this.#limits.maxTokens });
    } catch (error) {
      return [
        error instanceof GraphQLError ? withCode(error, 'GRAPHQL_PARSE_FAILED') : new GraphQLError(String(error)),
      ];
    }
    const errors = validate(schema, document);
    if (errors.length > 0) return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
    known.set(query, document, document);
    return document;
  }
}

const withCode = (error: GraphQLError, code: string): GraphQLError =>
  new GraphQLError(error.message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    extensions: { ...error.extensions, code },
  });
