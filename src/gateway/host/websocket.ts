import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError } from 'graphql';
import type { ServerOptions } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import type { Authenticator } from '../../auth/authenticator.ts';
import { newId } from '../../database/ids.ts';
import { RollcallError } from '../../errors.ts';
import type { Metrics } from '../../http/metrics.ts';
import { guardAgainstPages, type PageGuardOptions } from '../../http/page-guard.ts';
import type { Caller, ContextFactory } from './context.ts';
import type { Graph } from './graph.ts';
import { maskErrors } from './mask.ts';
import type { Operations } from './operations.ts';
import { prepare, runOn } from './run-checked.ts';

export interface GraphSocketOptions extends PageGuardOptions {
  readonly path: string;
  readonly graph: Graph;
  readonly authenticator: Authenticator;
  readonly contextOf: ContextFactory;
  readonly operations: Operations;
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Operations that one socket may have open. */
const MOST_OPERATIONS = 1_000;
const KEEP_ALIVE_MS = 12_000;

interface SocketExtra extends Record<PropertyKey, unknown> {
  caller?: Caller;
  open?: number;
}

/** GraphQL over WebSocket (graphql-transport-ws) at `path`. Answers the function that closes all sockets. */
export function addGraphSockets(server: Server, options: GraphSocketOptions): () => Promise<void> {
  const { graph, operations, log, metrics } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxBodyBytes,
    handleProtocols: (offered) => (offered.has('graphql-transport-ws') ? 'graphql-transport-ws' : false),
  });
  const execute = runOn(graph);
  const serverOptions: ServerOptions<Record<string, unknown>, Extra & Partial<SocketExtra>> = {
    execute: execute as never,
    subscribe: execute as never,
    connectionInitWaitTimeout: 10_000,
    async onConnect(context) {
      const request = context.extra.request;
      const given =
        context.connectionParams?.['authorization'] ??
        context.connectionParams?.['Authorization'] ??
        request.headers.authorization;
      try {
        const principal = await options.authenticator.authenticate(typeof given === 'string' ? given : undefined);
        context.extra.caller = { principal, headers: request.headers, requestId: newId() };
        return true;
      } catch (error) {
        if (!(error instanceof RollcallError)) log.error({ err: error }, 'a socket could not be authenticated');
        return false;
      }
    },
    onSubscribe(context, _id, payload) {
      if ((context.extra.open ?? 0) >= MOST_OPERATIONS) {
        return [
          new GraphQLError(
            `This socket has ${MOST_OPERATIONS} operations open, the most there may be; open another socket, or complete some.`,
            { extensions: { code: 'RATE_LIMITED' } },
          ),
        ];
      }
      const prepared = prepare(graph, operations, payload, () => options.contextOf(context.extra.caller!));
      if ('schema' in prepared) context.extra.open = (context.extra.open ?? 0) + 1;
      return prepared as never;
    },
    onNext: (_context, _id, _payload, _args, result): never =>
      (result.errors === undefined ? result : { ...result, errors: maskErrors(result.errors, log) }) as never,
    onError: (_context, _id, _payload, errors) => maskErrors(errors as readonly GraphQLError[], log),
    onComplete(context) {
      context.extra.open = (context.extra.open ?? 1) - 1;
    },
  };
  const disposable = useServer<Record<string, unknown>, SocketExtra>(serverOptions, sockets, KEEP_ALIVE_MS);
  sockets.on('connection', (socket) => {
    metrics.sockets.inc();
    socket.once('close', () => metrics.sockets.dec());
    // A client that breaks the protocol closes its own socket; without a listener it would end the process.
    socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
  });

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const path = request.url?.split('?')[0];
    socket.on('error', () => socket.destroy());
    if (path !== options.path && path !== `${options.path}/`) {
      refuse(socket, '404 Not Found');
      return;
    }
    try {
      guardAgainstPages(request, options);
    } catch {
      refuse(socket, '403 Forbidden');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request));
  };
  server.on('upgrade', upgrade);
  return async () => {
    server.off('upgrade', upgrade);
    for (const socket of sockets.clients) socket.close(1001, 'Going away');
    await disposable.dispose();
    for (const socket of sockets.clients) socket.terminate();
  };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
