import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Events } from '../events/events.ts';
import { admitted, type Gate } from '../http/gate.ts';
import { fromHttpError } from '../http/server.ts';
import type { Cards } from '../registry/cards/cards.ts';
import type { Registry } from '../registry/registry.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { type A2aHost, failureOf, type HttpBinding } from './host.ts';
import { httpJsonBinding } from './http-json.ts';
import { jsonRpcBinding } from './json-rpc.ts';
import { OpenCalls } from './open-calls.ts';
import { openApiDocument } from './openapi/document.ts';
import { createRequiredExtensions } from './required-extensions.ts';
import { SHIMS, shimBinding } from './shims.ts';

export interface A2aRouteOptions {
  readonly tasks: Tasks;
  readonly registry: Registry;
  readonly cards: Cards;
  readonly events: Events;
  readonly gate: Gate;
  readonly maxBodyBytes: number;
  readonly log: Logger;
  /** Silence after which a stream shows that it lives; 15,000 when left out. Milliseconds. */
  readonly heartbeatMs?: number;
}

const HEARTBEAT_MS = 15_000;
const JSON_TYPES = ['application/json', 'application/a2a+json'];

/**
 * The A2A server over HTTP, one base URL per agent: JSON-RPC at `/a2a/{agentId}`, HTTP+JSON and the early era's paths
 * below it. Every answer, refusals included, is in the caller's dialect.
 */
export function addA2aRoutes(app: FastifyInstance, options: A2aRouteOptions): void {
  const { tasks, registry, cards, events, gate, maxBodyBytes, log, heartbeatMs = HEARTBEAT_MS } = options;
  const calls = new OpenCalls();
  const requiredExtensions = createRequiredExtensions(registry, events);
  const host: A2aHost = { core: { tasks, registry, cards, requiredExtensions, gate }, calls, heartbeatMs, log };

  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The bindings read the bytes themselves: a body that is no JSON is theirs to answer.
    scope.addContentTypeParser(
      JSON_TYPES,
      { parseAs: 'buffer' },
      async (_request: FastifyRequest, body: Buffer) => body,
    );
    scope.addHook('onRequest', admitted(gate));

    const serve = (method: string[], url: string, binding: HttpBinding): void => {
      const handler = (request: FastifyRequest, reply: FastifyReply) => binding.handle(request, reply);
      const errorHandler = (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
        const error = failureOf(host, request, fromHttpError(thrown, maxBodyBytes));
        // A closed connection would take the answer with it, while the client is still sending: the rest is discarded.
        if (error.code === 'PAYLOAD_TOO_LARGE') reply.removeHeader('connection');
        void binding.refuse(request, reply, error);
      };
      scope.route({ method, url, handler, errorHandler, exposeHeadRoute: false });
    };
    serve(['POST'], '/a2a/:agentId', jsonRpcBinding(host));
    for (const [path, operation] of Object.entries(SHIMS)) {
      serve(['POST'], `/a2a/:agentId${path}`, shimBinding(host, operation));
    }
    serve(['GET', 'POST', 'DELETE'], '/a2a/:agentId/*', httpJsonBinding(host));
  });

  const description = JSON.stringify(openApiDocument('1'));
  app.get('/a2a/openapi.json', (_request, reply) =>
    reply
      .header('content-type', 'application/json; charset=utf-8')
      .header('cache-control', 'public, max-age=3600')
      .send(description),
  );

  app.addHook('preClose', async () => calls.close());
  app.addHook('onClose', async () => requiredExtensions.close());
}
