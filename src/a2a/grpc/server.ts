import { readFileSync } from 'node:fs';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Authenticator } from '../../auth/authenticator.ts';
import type { Events } from '../../events/events.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Tasks } from '../../tasks/tasks.ts';
import { OpenCalls } from '../open-calls.ts';
import { createRequiredExtensions } from '../required-extensions.ts';
import { addA2aService } from './service.ts';

export interface A2aGrpcOptions {
  readonly tasks: Tasks;
  readonly registry: Registry;
  readonly events: Events;
  readonly authenticator: Authenticator;
  readonly log: Logger;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly maxBodyBytes: number;
  /** PEM files; plaintext without them. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
}

export interface A2aGrpcServer {
  /** The port that is listened on. */
  readonly port: number;
  /** Streams end at once, other calls may end within `graceMs` milliseconds; what is left is cut off. */
  close(graceMs: number): Promise<void>;
}

const MINUTE_MS = 60_000;

/** Starts A2A's gRPC binding on a port of its own. Rejects when the port cannot be bound. */
export async function startA2aGrpc(options: A2aGrpcOptions): Promise<A2aGrpcServer> {
  const { tasks, registry, events, authenticator, log, maxBodyBytes, tls } = options;
  const server = new Server({
    'grpc.max_receive_message_length': maxBodyBytes,
    'grpc.max_send_message_length': -1,
    // Finds connections whose other end vanished without a word.
    'grpc.keepalive_time_ms': MINUTE_MS,
    'grpc.keepalive_timeout_ms': 20_000,
  });
  const calls = new OpenCalls();
  const requiredExtensions = createRequiredExtensions(registry, events);
  addA2aService(server, { core: { tasks, registry, requiredExtensions }, calls, authenticator, log });
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: readFileSync(tls.certFile), private_key: readFileSync(tls.keyFile) },
        ]);
  const address = `${options.host.includes(':') ? `[${options.host}]` : options.host}:${options.port}`;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new Error(`GRPC_PORT: ${address} cannot be listened on: ${error.message}`, { cause: error }));
    });
  }).catch((error: unknown) => {
    requiredExtensions.close();
    throw error;
  });

  return {
    port,
    async close(graceMs) {
      calls.close();
      const late = setTimeout(() => server.forceShutdown(), graceMs);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(late);
      requiredExtensions.close();
    },
  };
}
