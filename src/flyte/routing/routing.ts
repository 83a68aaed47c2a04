import type { CategoryKey } from '../../protocol/flyte/routing-views.ts';
import type { AgentRegistry } from '../agents/agent-registry.ts';
import { AgentDirectory, type EngineAccess } from '../agents/directory.ts';
import { LocalAgents } from '../agents/local-agents.ts';
import { Snapshot, type SnapshotTimings } from '../snapshot.ts';
import type { FlyteLog } from '../source.ts';
import { type Connect, Connections } from './connections.ts';
import type { DeploymentSource } from './deployments.ts';
import { Dispatcher } from './dispatcher.ts';
import { LAST_KNOWN_LIMITS, LastKnown, type LastKnownLimits } from './last-known.ts';
import type { FlyteGeneration } from './methods.ts';
import { Once } from './once.ts';
import { PROBE_TIMINGS, Probes, type ProbeTimings } from './probes.ts';
import { recordedCalls, recordedSync, type SyncRecord, type TaskRecorder } from './record.ts';
import { FlyteRouter } from './router.ts';
import { Suspects } from './suspects.ts';
import { RoutingTable } from './table.ts';
import { ownerCalls, type TaskCalls } from './task-calls.ts';

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
  /** Deployments are asked how they are when this is given; {@link PROBE_TIMINGS} unless it says otherwise. */
  readonly probes?: Partial<ProbeTimings>;
  /** Hears of the tasks. */
  readonly recorder?: TaskRecorder;
  /** For agents that have no deployment and are reached in another way; without it their tasks are refused. */
  readonly engine?: EngineAccess;
}

/** The routers, one per generation of callers, and what keeps them up to date. */
export interface Routing {
  /** Serves what goes to no deployment, if there can be any. */
  readonly local: LocalAgents | undefined;
  readonly routers: Readonly<Record<FlyteGeneration, FlyteRouter>>;
  /** The calls that make a job and tell how it stands, whoever serves them. */
  readonly calls: Readonly<Record<FlyteGeneration, TaskCalls>>;
  /** Begins the record of a task that is done at once, by its first message, if it is to have one. */
  recordSync(header: Buffer): SyncRecord | undefined;
  /** Whether an agent has a category, for callers of that generation. */
  knows(category: CategoryKey, generation: FlyteGeneration): boolean;
  /** Reads the table once, well or not, and follows its changes from then on. */
  start(): Promise<void>;
  /** Follows no more changes. */
  stop(): void;
  /** Ends the records, and closes the channels, each after its last call. */
  close(): Promise<void>;
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
  const probes = options.probes && new Probes(connections, suspects, { ...PROBE_TIMINGS, ...options.probes }, log);
  const table = new Snapshot({
    name: 'deployments',
    read: async () => new RoutingTable(await options.source.list(), (id) => probes?.isFit(id) ?? true),
    onChange: (listener) => options.source.onChange(listener),
    onRead: ({ deployments }) => {
      const ids = new Set(deployments.map(({ id }) => id));
      connections.retain(ids);
      suspects.retain(ids);
      probes?.follow(deployments);
      onRead();
    },
    log,
    timings,
  });
  const lastKnown = new LastKnown({ ...LAST_KNOWN_LIMITS, ...options.lastKnown });
  const creations = (): Once => new Once(KEEP_CREATED_MS, KEEP_CREATED);
  const directory = new AgentDirectory(agents, options.engine, (category) => table.value?.route(category, 1));
  const hasOwn = agents !== undefined || options.engine !== undefined;
  const router = (generation: FlyteGeneration): FlyteRouter => {
    const dispatcher = new Dispatcher(generation, () => table.value, connections, suspects);
    return new FlyteRouter(dispatcher, lastKnown, creations(), log);
  };
  const local = hasOwn ? new LocalAgents(directory, lastKnown, creations(), log) : undefined;
  const routers = { 1: router(1), 2: router(2) };
  // The agents of this process read the first generation's task bodies.
  const calls = { 1: ownerCalls(routers[1], local), 2: ownerCalls(routers[2], undefined) };
  const { recorder } = options;
  const recorded = (generation: FlyteGeneration): TaskCalls => {
    if (recorder === undefined) return calls[generation];
    const route = (category: CategoryKey) => table.value?.route(category, generation);
    return recordedCalls(calls[generation], generation, route, recorder);
  };
  return {
    local,
    routers,
    calls: { 1: recorded(1), 2: recorded(2) },
    recordSync: (header) => recorder && recordedSync(header, (category) => table.value?.route(category, 1), recorder),
    knows: (category, generation) =>
      table.value?.route(category, generation) !== undefined || (generation === 1 && (agents?.has(category) ?? false)),
    async start() {
      await table.start();
      recorder?.start(calls);
    },
    stop: () => {
      table.stop();
      probes?.stop();
    },
    async close() {
      await recorder?.stop();
      connections.retain(new Set());
    },
  };
}
