import type { AgentRegistry } from '../agents/agent-registry.ts';
import { LocalAgents } from '../agents/local-agents.ts';
import { Snapshot, type SnapshotTimings } from '../snapshot.ts';
import type { FlyteLog } from '../source.ts';
import { type Connect, Connections } from './connections.ts';
import type { DeploymentSource } from './deployments.ts';
import { Dispatcher } from './dispatcher.ts';
import { LAST_KNOWN_LIMITS, LastKnown, type LastKnownLimits } from './last-known.ts';
import type { FlyteGeneration } from './methods.ts';
import { Once } from './once.ts';
import { FlyteRouter } from './router.ts';
import { Suspects } from './suspects.ts';
import { RoutingTable } from './table.ts';

/** How long, and for how many tasks, a repeated CreateTask gets the first one's answer. */
const KEEP_CREATED_MS = 3_600_000;
const KEEP_CREATED = 20_000;
const MAX_CALLS_PER_DEPLOYMENT = 1_000;

export interface RoutingOptions {
  readonly source: DeploymentSource;
  /** Opens a channel to a deployment. Their addresses come from users: it must check them. */
  readonly connect: Connect;
  /** Calls that one deployment may have at the same time; 1,000 unless set. */
  readonly maxCallsPerDeployment?: number;
  readonly lastKnown?: Partial<LastKnownLimits>;
}

/** The routers, one per generation of callers, and what keeps them up to date. */
export interface Routing {
  /** The agents of this process, if there are any. */
  readonly local: LocalAgents | undefined;
  readonly routers: Readonly<Record<FlyteGeneration, FlyteRouter>>;
  /** Reads the table once, well or not, and follows its changes from then on. */
  start(): Promise<void>;
  /** Follows no more changes. */
  stop(): void;
  /** Closes the channels, each after its last call. */
  close(): void;
}

/**
 * @param agents those of this process
 * @param onRead called after each good read of the table
 */
export function createRouting(
  options: RoutingOptions,
  agents: AgentRegistry | undefined,
  log: FlyteLog,
  timings: SnapshotTimings,
  onRead: () => void,
): Routing {
  const connections = new Connections(options.connect, options.maxCallsPerDeployment ?? MAX_CALLS_PER_DEPLOYMENT);
  const suspects = new Suspects();
  const table = new Snapshot({
    name: 'deployments',
    read: async () => new RoutingTable(await options.source.list()),
    onChange: (listener) => options.source.onChange(listener),
    onRead: ({ deployments }) => {
      const ids = new Set(deployments.map(({ id }) => id));
      connections.retain(ids);
      suspects.retain(ids);
      onRead();
    },
    log,
    timings,
  });
  const lastKnown = new LastKnown({ ...LAST_KNOWN_LIMITS, ...options.lastKnown });
  const creations = (): Once => new Once(KEEP_CREATED_MS, KEEP_CREATED);
  const router = (generation: FlyteGeneration): FlyteRouter => {
    const dispatcher = new Dispatcher(generation, () => table.value, connections, suspects);
    return new FlyteRouter(dispatcher, lastKnown, creations(), log);
  };
  return {
    local: agents === undefined ? undefined : new LocalAgents(agents, lastKnown, creations(), log),
    routers: { 1: router(1), 2: router(2) },
    start: () => table.start(),
    stop: () => table.stop(),
    close: () => connections.retain(new Set()),
  };
}
