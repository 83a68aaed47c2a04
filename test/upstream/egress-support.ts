import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, expect } from 'vitest';
import { type ErrorCode, RollcallError } from '../../src/errors.ts';
import { createEgress, type Egress, type EgressOptions } from '../../src/upstream/egress.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs after the test, last registered first. */
export const onCleanup = (cleanup: () => Promise<unknown>): void => void cleanups.push(cleanup);

export interface TestServer {
  readonly port: number;
  readonly url: string;
  /** Every request that arrived, oldest first. */
  readonly requests: { method: string; path: string; headers: IncomingMessage['headers']; body: string }[];
  /** Connections ever accepted. */
  connections(): number;
  /** Connections open now. */
  open(): number;
}

export function track(server: Server): { connections(): number; open(): number } {
  const sockets = new Set<Socket>();
  let total = 0;
  server.on('connection', (socket: Socket) => {
    total++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  onCleanup(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
      }),
  );
  return { connections: () => total, open: () => sockets.size };
}

export async function listenOn(server: Server, host = '127.0.0.1', port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** An HTTP server on loopback that remembers what reached it; it answers "ok" unless told otherwise. */
export async function httpServer(handler?: RequestListener, host = '127.0.0.1', port = 0): Promise<TestServer> {
  const requests: TestServer['requests'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      if (handler === undefined) response.end('ok');
      else handler(request, response);
    });
  });
  const tracked = track(server);
  const bound = await listenOn(server, host, port);
  return { port: bound, url: `http://127.0.0.1:${bound}`, requests, ...tracked };
}

/** A server that speaks whatever `onData` writes, from the first bytes of a connection on. */
export async function rawServer(onData: (socket: Socket, data: Buffer) => void): Promise<Omit<TestServer, 'requests'>> {
  const server = createTcpServer((socket) => {
    socket.once('data', (data: Buffer) => onData(socket, data));
  });
  const tracked = track(server);
  const port = await listenOn(server);
  return { port, url: `http://127.0.0.1:${port}`, ...tracked };
}

export function egressWith(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ allow: ['127.0.0.1/32'], resolve: names({}), ...options });
  onCleanup(() => egress.close());
  return egress;
}

/** A resolver over a table, that counts how often it was asked. */
export function names(table: Record<string, readonly string[]>): ((host: string) => Promise<readonly string[]>) & {
  readonly asked: string[];
} {
  const asked: string[] = [];
  return Object.assign(
    async (host: string) => {
      asked.push(host);
      const addresses = table[host];
      if (addresses === undefined)
        throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
      return addresses;
    },
    { asked },
  );
}

/** Waits for the rejection and checks its code and, where given, its message. */
export async function failure(promise: Promise<unknown>, code: ErrorCode, message?: RegExp): Promise<RollcallError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RollcallError)) throw new Error(`expected ${code}, got ${String(error)}`, { cause: error });
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: message === undefined ? expect.any(String) : expect.stringMatching(message),
  });
  return error;
}
