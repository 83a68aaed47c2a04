import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

/** PEM files' contents. */
export interface ListenerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Listener {
  readonly port: number;
  /** No new connections, and `graceMs` milliseconds for the running calls to end; then every connection is cut. */
  close(graceMs: number): Promise<void>;
}

/**
 * Listens for a gRPC server, and keeps hold of the sockets. The server's own forceShutdown waits politely for the
 * other end: a client that no longer reads its stream would keep the process from ever stopping.
 */
export async function listen(server: Server, host: string, port: number, tls?: ListenerTls): Promise<Listener> {
  const injector = server.createConnectionInjector(
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]),
  );
  const sockets = new Set<Socket>();
  const tcp = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    injector.injectConnection(socket);
  });
  tcp.listen(port, host);
  await once(tcp, 'listening');
  return {
    port: (tcp.address() as AddressInfo).port,
    close: async (graceMs) => {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        // Calls first, then what is left in the sockets: cut too early, the last status would not arrive.
        Promise.all([
          new Promise<void>((resolve) => tcp.close(() => resolve())),
          new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
        ]),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, graceMs);
        }),
      ]);
      clearTimeout(timer);
      server.forceShutdown();
      for (const socket of sockets) socket.destroy();
    },
  };
}
