import { readFileSync } from 'node:fs';
import { Server } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Events } from '../../events/events.ts';
import { GrpcHealth, HEALTH_SERVICE } from '../../grpc/health.ts';
import { listen } from '../../grpc/listener.ts';
import type { EndedCall } from '../../grpc/observed.ts';
import { serverOptions } from '../../grpc/options.ts';
import { addReflection, REFLECTION_SERVICES } from '../../grpc/reflection.ts';
import type { Gate } from '../../http/gate.ts';
import { DESCRIPTOR_SET } from '../../protocol/a2a/generated/descriptors.ts';
import { SERVICE_NAME } from '../../protocol/a2a/protobuf.ts';
import { DescriptorIndex } from '../../protocol/flyte/descriptor-index.ts';
import type { Cards } from '../../registry/cards/cards.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Tasks } from '../../tasks/tasks.ts';
import { OpenCalls } from '../open-calls.ts';
import { createRequiredExtensions } from '../required-extensions.ts';
import { addA2aService } from './service.ts';

export interface A2aGrpcOptions {
  readonly tasks: Tasks;
  readonly registry: Registry;
  readonly cards: Cards;
  readonly events: Events;
  readonly gate: Gate;
  readonly log: Logger;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly maxBodyBytes: number;
  /** Hears of each call when it ended. */
  readonly onCall?: (call: EndedCall) => void;
  /** PEM files; plaintext without them. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
}

export interface A2aGrpcServer {
  /** The port that is listened on. */
  readonly port: number;
  /** Streams end at once, other calls may end within `graceMs` milliseconds; what is left is cut off. */
  close(graceMs: number): Promise<void>;
}

/**
 * Starts A2A's gRPC binding on a port of its own, with health (grpc.health.v1) and reflection beside it. Rejects when the
 * port cannot be bound.
 */
export async function startA2aGrpc(options: A2aGrpcOptions): Promise<A2aGrpcServer> {
  const { tasks, registry, cards, events, gate, log, maxBodyBytes, tls, onCall } = options;
  // Calls may outlive a connection's age: a stream goes on for as long as its task does.
  const server = new Server(serverOptions({ maxReceiveBytes: maxBodyBytes, onCall }));
  const calls = new OpenCalls();
  const requiredExtensions = createRequiredExtensions(registry, events);
  addA2aService(server, { core: { tasks, registry, cards, requiredExtensions, gate }, calls, gate, log });
  const health = new GrpcHealth([SERVICE_NAME]);
  health.addTo(server);
  const endReflection = addReflection(server, new DescriptorIndex(DESCRIPTOR_SET), [
    SERVICE_NAME,
    HEALTH_SERVICE,
    ...REFLECTION_SERVICES,
  ]);
  const files = tls && { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
  const listener = await listen(server, options.host, options.port, files).catch((error: unknown) => {
    requiredExtensions.close();
    throw error;
  });
  health.serve(['', SERVICE_NAME]);

  return {
    port: listener.port,
    async close(graceMs) {
      health.drain();
      health.end();
      endReflection();
      calls.close();
      await listener.close(graceMs);
      requiredExtensions.close();
    },
  };
}
