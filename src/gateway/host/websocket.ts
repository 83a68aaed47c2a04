import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GraphQLError } from 'graphql';
import type { ServerOptions } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import { RollcallError } from '../../errors.ts';
import type { Metrics } from '../../http/metrics.ts';
import { guardAgainstPages, type PageGuardOptions } from '../../http/page-guard.ts';
import { isDeeperThan } from '../../json-depth.ts';
import type { ContextFactory } from './context.ts';
import type { Graph } from './graph.ts';
import type { LoadLimit } from './load-limit.ts';
import { maskErrors } from './mask.ts';
import type { Operations } from './operations.ts';
import { prepare, runOn } from './run-checked.ts';
import { SocketCallers, type SocketCallersOptions, type SocketExtra } from './socket-callers.ts';

export interface GraphSocketOptions extends Omit<PageGuardOptions, 'authenticator'>, SocketCallersOptions {
  /** What is served, by path. */
  readonly graphs: ReadonlyMap<string, Graph>;
  readonly contextOf: ContextFactory;
  readonly operations: Operations;
  readonly load: LoadLimit;
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const KEEP_ALIVE_MS = 12_000;
/** How deep a message may nest. A ping is answered with what it holds: writing that would overflow the stack. */
const MAX_MESSAGE_DEPTH = 500;

/** Looks at each value of a message; what is thrown closes the socket as a message that is none (4400). */
function notTooDeep(key: string, value: unknown): unknown {
  // The root comes last, under the empty key.
  if (key === '' && isDeeperThan(value, MAX_MESSAGE_DEPTH)) throw new Error('The message nests too deeply.');
  return value;
}

/** The sockets of one graph. */
interface Door {
  readonly sockets: WebSocketServer;
  close(): Promise<void>;
}

/** GraphQL over WebSocket (graphql-transport-ws). Answers the function that closes all sockets. */
export function addGraphSockets(server: Server, options: GraphSocketOptions): () => Promise<void> {
  const callers = new SocketCallers(options);
  const doors = new Map([...options.graphs].map(([path, graph]) => [path, openDoor(graph, callers, options)]));
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const door = doors.get(request.url?.split('?')[0]?.replace(/\/$/, '') ?? '');
    socket.on('error', () => socket.destroy());
    if (door === undefined) {
      refuse(socket, '404 Not Found');
      return;
    }
    try {
      guardAgainstPages(request, { ...options, authenticator: options.gate });
    } catch {
      refuse(socket, '403 Forbidden');
      return;
    }
    let place: () => void;
    try {
      place = callers.reserve(request);
    } catch {
      refuse(socket, '429 Too Many Requests');
      return;
    }
    socket.once('close', place);
    door.sockets.handleUpgrade(request, socket, head, (ws) => {
      callers.opened(ws, place);
      door.sockets.emit('connection', ws, request);
    });
  };
  server.on('upgrade', upgrade);
  return async () => {
    server.off('upgrade', upgrade);
    await Promise.all([...doors.values()].map((door) => door.close()));
  };
}

function openDoor(graph: Graph, callers: SocketCallers, options: GraphSocketOptions): Door {
  const { operations, log, metrics } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxBodyBytes,
    handleProtocols: (offered) => (offered.has('graphql-transport-ws') ? 'graphql-transport-ws' : false),
  });
  const execute = runOn(graph, options.load, options.gate);
  const serverOptions: ServerOptions<Record<string, unknown>, Extra & Partial<SocketExtra>> = {
    execute: execute as never,
    subscribe: execute as never,
    connectionInitWaitTimeout: 10_000,
    jsonMessageReviver: notTooDeep,
    async onConnect(context) {
      const request = context.extra.request;
      const given =
        context.connectionParams?.['authorization'] ??
        context.connectionParams?.['Authorization'] ??
        request.headers.authorization;
      try {
        return await callers.admit(context.extra, typeof given === 'string' ? given : undefined);
      } catch (error) {
        if (!(error instanceof RollcallError)) log.error({ err: error }, 'a socket could not be authenticated');
        return false;
      }
    },
    onSubscribe(context, _id, payload) {
      const refused = callers.refuses(context.extra);
      if (refused !== undefined) return refused;
      const prepared = prepare(graph, operations, payload, () => options.contextOf(context.extra.caller!));
      if ('schema' in prepared) callers.begun(context.extra);
      return prepared as never;
    },
    onNext: (_context, _id, _payload, _args, result): never =>
      (result.errors === undefined ? result : { ...result, errors: maskErrors(result.errors, log) }) as never,
    onError: (_context, _id, _payload, errors) => maskErrors(errors as readonly GraphQLError[], log),
    onComplete(context) {
      callers.ended(context.extra);
    },
  };
  // As in production: the reason of a close must not tell what went wrong inside.
  const disposable = useServer<Record<string, unknown>, SocketExtra>(
    { ...serverOptions, isProd: true },
    sockets,
    KEEP_ALIVE_MS,
  );
  // graphql-ws would write what fails to the console, and close sockets with its own code where ws has a better one.
  sockets.removeAllListeners('error');
  sockets.on('error', (error) => log.error({ err: error }, 'the WebSocket server failed'));
  sockets.on('connection', (socket) => {
    socket.removeAllListeners('error');
    metrics.sockets.inc();
    socket.once('close', () => metrics.sockets.dec());
    // A client that breaks the protocol closes its own socket; without a listener it would end the process.
    socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
  });

  return {
    sockets,
    async close() {
      for (const socket of sockets.clients) socket.close(1001, 'Going away');
      await disposable.dispose();
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
