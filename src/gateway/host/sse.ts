import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createHandler } from 'graphql-sse/lib/use/fastify';
import type { Logger } from 'pino';
import type { Authenticator } from '../../auth/authenticator.ts';
import { toRollcallError } from '../../errors.ts';
import type { ContextFactory } from './context.ts';
import type { Graph } from './graph.ts';
import { maskErrors } from './mask.ts';
import type { Operations } from './operations.ts';
import { type Payload, prepare, runOn } from './run-checked.ts';

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
  const execute = runOn(graph);
  const handler = createHandler({
    execute: execute as never,
    subscribe: execute as never,
    onSubscribe: (request, payload) => {
      const { principal, headers, id } = request.raw as FastifyRequest;
      const context = () => options.contextOf({ principal: principal!, headers, requestId: id });
      return prepare(graph, operations, payload as Payload, context) as never;
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
