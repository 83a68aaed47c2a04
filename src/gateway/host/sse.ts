import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/fastify';
import type { Logger } from 'pino';
import type { Authenticator } from '../../auth/authenticator.ts';
import { toRollcallError } from '../../errors.ts';
import type { OperationType } from '../engine.ts';
import type { ContextFactory } from './context.ts';
import type { Graph } from './graph.ts';
import { maskErrors } from './mask.ts';
import type { Operations } from './operations.ts';

export interface GraphSseOptions {
  readonly path: string;
  readonly graph: Graph;
  readonly authenticator: Authenticator;
  readonly contextOf: ContextFactory;
  readonly operations: Operations;
  readonly log: Logger;
}

/** GraphQL over server-sent events (graphql-sse protocol, distinct connections and single connection mode) at `path`. */
export function addGraphSse(app: FastifyInstance, options: GraphSseOptions): void {
  const { graph, operations, log } = options;
  const execute = (args: unknown) => {
    const { schema, document, variableValues, operationName, contextValue, operationType } = args as {
      schema: GraphQLSchema;
      document: never;
      variableValues: Record<string, unknown>;
      operationName: string | undefined;
      contextValue: ReturnType<ContextFactory>;
      operationType: OperationType;
    };
    return graph.execute(schema, {
      document,
      variables: variableValues,
      operationName,
      operationType,
      context: contextValue,
    });
  };
  const handler = createHandler({
    execute: execute as never,
    subscribe: execute as never,
    onSubscribe: (request, payload) => {
      const raw = request.raw as FastifyRequest;
      const { schema } = graph.engine;
      const checked = operations.check(
        schema,
        payload.query,
        payload.operationName,
        payload.variables as Record<string, unknown>,
      );
      if (!('document' in checked)) return checked as never;
      return {
        schema,
        document: checked.document,
        variableValues: payload.variables ?? {},
        operationName: payload.operationName ?? undefined,
        contextValue: options.contextOf({ principal: raw.principal!, headers: raw.headers, requestId: raw.id }),
        operationType: checked.operation.operation,
      } as never;
    },
    onNext: (_context, _request, result) =>
      result.errors === undefined ? result : ({ ...result, errors: maskErrors(result.errors, log) } as never),
  });
  app.route({
    method: ['GET', 'POST', 'PUT', 'DELETE'],
    url: options.path,
    async handler(request, reply) {
      try {
        request.principal = await options.authenticator.authenticate(request.headers.authorization);
      } catch (error) {
        throw toRollcallError(error);
      }
      await handler(request, reply);
      return reply;
    },
  });
}
