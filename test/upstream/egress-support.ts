import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { expect } from 'vitest';
import { type ErrorCode, RollcallError } from '../../src/errors.ts';
import { createEgress, type Egress, type EgressOptions } from '../../src/upstream/egress.ts';
import { afterTheTest } from '../support/cleanup.ts';

/** Runs after the test, last registered first. */
export const onCleanup = afterTheTest();

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

/** A server on both loopback addresses, which nothing may reach; `reached` counts the connections. */
export async function sentinels(): Promise<{ port: number; reached(): number }> {
  const v4 = await httpServer();
  // Where the machine has no IPv6 the IPv4 sentinel has to do; every vector is still asked.
  const v6 = await httpServer(undefined, '::1', v4.port).catch(() => undefined);
  return { port: v4.port, reached: () => v4.connections() + (v6?.connections() ?? 0) };
}

/** What is started at a second address of this machine, or undefined where there is none. */
export async function onAnotherAddress<T>(
  start: (host: string) => Promise<T>,
): Promise<{ host: string; server: T } | undefined> {
  for (const host of ['127.0.0.2', '::1']) {
    const server = await start(host).catch(() => undefined);
    if (server !== undefined) return { host, server };
  }
  return undefined;
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

/** A resolver: answers with each list in turn, then with the last one for ever. */
export function inTurn(...answers: (readonly string[])[]) {
  const asked: string[] = [];
  return Object.assign(
    async (host: string) => {
      asked.push(host);
      return answers[Math.min(asked.length, answers.length) - 1] ?? [];
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
