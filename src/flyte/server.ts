import { Server } from '@grpc/grpc-js';
import { RollcallError } from '../errors.ts';
import { GrpcHealth, HEALTH_SERVICE } from '../grpc/health.ts';
import { type ListenerTls, listen } from '../grpc/listener.ts';
import type { EndedCall } from '../grpc/observed.ts';
import { type ConnectionTimings, serverOptions } from '../grpc/options.ts';
import { addReflection, REFLECTION_SERVICES } from '../grpc/reflection.ts';
import { DescriptorIndex } from '../protocol/flyte/descriptor-index.ts';
import { DESCRIPTOR_SET } from '../protocol/flyte/generated/descriptors.ts';
import type { AgentRegistry } from './agents/agent-registry.ts';
import { flyteCatalog } from './catalog.ts';
import { addMetadataServices, METADATA_SERVICES } from './metadata-services.ts';
import type { CallerLimits } from './routing/limits.ts';
import type { EndedTaskCall, Meter } from './routing/measured.ts';
import { type FlyteGeneration, MAX_MESSAGE_BYTES } from './routing/methods.ts';
import { createRouting, type RoutingOptions } from './routing/routing.ts';
import { addRoutedServices, ROUTED_SERVICES } from './routing/services.ts';
import { SNAPSHOT_TIMINGS, type SnapshotTimings } from './snapshot.ts';
import type { FlyteLog, FlyteSource } from './source.ts';

/** What a call may go on for on a connection that is due to end: as long as the longest of the operations' timeouts. */
const CALLS_MAY_OUTLIVE_MS = 600_000;

/** For a server that has agents of its own and routes nothing. */
const NO_DEPLOYMENTS: RoutingOptions = {
  source: { list: () => Promise.resolve([]), onChange: () => () => undefined },
  connect: ({ address }) => {
    throw new RollcallError('UPSTREAM_UNREACHABLE', `${address} is not a deployment of this server.`);
  },
};

export interface FlyteServerOptions {
  readonly source: FlyteSource;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly log: FlyteLog;
  /** PEM; without it the port is plaintext. Propeller checks against its system's CA pool. */
  readonly tls?: ListenerTls;
  /** Without it (and without agents) the server lists agents and takes no tasks. */
  readonly routing?: RoutingOptions;
  /** The agents of this process. They serve their categories themselves; `source` must list them too. */
  readonly agents?: AgentRegistry;
  /** What each caller may ask of the agents. */
  readonly limits?: CallerLimits;
  readonly timings?: Partial<SnapshotTimings>;
  readonly connections?: Partial<ConnectionTimings>;
  /** Hears of each call when it ended. */
  readonly onCall?: (call: EndedCall) => void;
  /** Hears of each call about a task when it ended. */
  readonly onTaskCall?: (call: EndedTaskCall) => void;
}

export interface FlyteServer {
  /** The port that is listened on. */
  readonly port: number;
  /**
   * Stops: health turns to NOT_SERVING, no new calls are taken, running ones may end within `graceMs`
   * milliseconds, what is left then is cut off. Further calls give the first one's promise.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Starts Flyte's gRPC services on a port of their own: the metadata services of both generations, the routed agent
 * services, health and reflection. Resolves once it listens; with a source that fails it listens all the same, its
 * services NOT_SERVING until the first good read. Rejects when the port cannot be bound.
 */
export async function startFlyteServer(options: FlyteServerOptions): Promise<FlyteServer> {
  const { source, host, log, onCall } = options;
  const connections = { maxAgeGraceMs: CALLS_MAY_OUTLIVE_MS, ...options.connections };
  const server = new Server(serverOptions({ maxReceiveBytes: MAX_MESSAGE_BYTES, timings: connections, onCall }));
  const timings = { ...SNAPSHOT_TIMINGS, ...options.timings };
  const takesTasks = options.routing !== undefined || options.agents !== undefined;
  const services = [...METADATA_SERVICES, ...(takesTasks ? ROUTED_SERVICES : [])];
  const health = new GrpcHealth(services);
  let closing: Promise<void> | undefined;
  const serving = (names: readonly string[]) => (): void => {
    if (closing === undefined) health.serve(names);
  };
  const catalog = flyteCatalog(source, log, timings, serving(['', ...METADATA_SERVICES]));
  const routing = takesTasks
    ? createRouting(options.routing ?? NO_DEPLOYMENTS, options.agents, log, timings, serving(ROUTED_SERVICES))
    : undefined;
  addMetadataServices(server, catalog, log);
  if (routing !== undefined) {
    const { onTaskCall = () => undefined } = options;
    const meter = (generation: FlyteGeneration): Meter => ({
      onTaskCall,
      knows: (category) => routing.knows(category, generation),
    });
    addRoutedServices(server, { routing, meters: { 1: meter(1), 2: meter(2) }, limits: options.limits, log });
  }
  health.addTo(server);
  const endReflection = addReflection(server, new DescriptorIndex(DESCRIPTOR_SET), [
    ...services,
    HEALTH_SERVICE,
    ...REFLECTION_SERVICES,
  ]);

  const stop = (): void => {
    catalog.stop();
    routing?.stop();
  };
  await Promise.all([catalog.start(), routing?.start()]);
  const listener = await listen(server, host, options.port, options.tls).catch(async (error: unknown) => {
    stop();
    await routing?.close();
    throw error;
  });
  log.info({ host, port: listener.port }, 'Flyte services listen');

  const close = async (graceMs: number): Promise<void> => {
    stop();
    health.drain();
    health.end();
    endReflection();
    await listener.close(graceMs);
    await routing?.close();
  };
  return {
    port: listener.port,
    close: (graceMs) => {
      closing ??= close(graceMs);
      return closing;
    },
  };
}
