import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { subjectOf } from '../auth/authenticator.ts';
import { ANONYMOUS, LOCAL_SUBJECT, type Principal, SCOPES, SYSTEM } from '../auth/principal.ts';
import type { Config } from '../config.ts';
import { newId } from '../database/ids.ts';
import type { AgentRegistry } from '../flyte/agents/agent-registry.ts';
import { FlyteRecorder } from '../flyte/recording/recorder.ts';
import { changesAnywhere, changesHere } from '../flyte/registry-changes.ts';
import { registryDeployments, registrySource } from '../flyte/registry-source.ts';
import { DEPLOYMENT_CHANNEL_OPTIONS } from '../flyte/routing/connections.ts';
import type { CallerLimits } from '../flyte/routing/limits.ts';
import { type FlyteServer, startFlyteServer } from '../flyte/server.ts';
import type { Core } from '../graphql/context.ts';
import { addressOfPeer } from '../grpc/peer.ts';
import type { Gate } from '../http/gate.ts';
import type { Metrics } from '../http/metrics.ts';
import type { FlyteStanding } from '../registry/flyte/preview.ts';
import type { Egress } from '../upstream/egress.ts';
import { tlsFiles } from './addresses.ts';
import { announceAgents } from './flyte-agents.ts';
import { grpcMeter } from './grpc.ts';

/** Who Flyte's services act as: they have no callers of their own, as propeller presents no token. */
function flytePrincipal({ AUTH_MODE, AUTH_ISSUER, FLYTE_PRINCIPAL }: Config): Principal | undefined {
  if (AUTH_MODE === 'none') return SYSTEM;
  if (FLYTE_PRINCIPAL === undefined) return undefined;
  const scopes = new Set(SCOPES.filter((scope) => scope !== 'admin' && scope !== 'tasks:admin'));
  return { subject: subjectOf(AUTH_ISSUER, FLYTE_PRINCIPAL), anonymous: false, scopes };
}

/** Who owns the agents of this process: with tokens whom Flyte acts as, else the local user, who may then change them. */
const ownerOf = (principal: Principal): Principal =>
  principal === SYSTEM ? { ...SYSTEM, subject: LOCAL_SUBJECT } : principal;

/** How Flyte's door stands, for the graph. */
export function flyteStanding(config: Config, agents: AgentRegistry | undefined): FlyteStanding {
  const principal = flytePrincipal(config);
  return {
    open: config.FLYTE_PORT !== undefined && principal !== undefined,
    principal,
    serves: (category) => agents?.has(category) ?? false,
  };
}

/** Makes the agents of this process agents of the registry, where somebody can own them. @throws RollcallError INVALID_INPUT */
export async function announceFlyteAgents(
  { registry, flyte: { principal } }: Core,
  agents: AgentRegistry | undefined,
): Promise<void> {
  if (agents !== undefined && principal !== undefined) await announceAgents(registry, ownerOf(principal), agents);
}

/** How often a database that other servers may share is asked whether they changed anything: they are to see it within a second. */
const OTHERS_EVERY_MS = 400;

/** What one address may ask of the agents; undefined where nothing is limited. */
function callerLimits(
  { RATE_LIMIT_PER_ADDRESS, MAX_STREAMS_PER_CALLER }: Config,
  gate: Gate,
): CallerLimits | undefined {
  if (!RATE_LIMIT_PER_ADDRESS && !MAX_STREAMS_PER_CALLER) return undefined;
  const originOf = (peer: string) => ({ address: addressOfPeer(peer), requestId: newId(), door: 'grpc' as const });
  return {
    count: (peer) => gate.countAddress(originOf(peer)),
    openStream: (peer) => gate.openStream({ ...ANONYMOUS, origin: originOf(peer) }),
  };
}

/** What Flyte's services stand on. */
export interface FlyteParts {
  readonly core: Core;
  /** Channels to deployments, whose addresses users gave, go out by it. */
  readonly egress: Egress;
  /** The agents of this process. */
  readonly agents: AgentRegistry | undefined;
  /** Counts what each address asks for. */
  readonly gate: Gate;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Opens Flyte's port, where there is one. With tokens it opens only under a named principal: whoever reaches it may use the agents. */
export async function startFlyte(
  config: Config,
  { core, egress, agents, gate, metrics, log }: FlyteParts,
): Promise<FlyteServer | undefined> {
  const { registry, events, flyte } = core;
  const { principal } = flyte;
  if (config.FLYTE_PORT === undefined) {
    if (agents !== undefined)
      log.warn('there are Flyte agents in this process, but FLYTE_PORT is not set: nobody can reach them');
    else if (config.FLYTE_PRINCIPAL !== undefined)
      log.warn('FLYTE_PRINCIPAL is set, but FLYTE_PORT is not: the port stays shut');
    return undefined;
  }
  if (principal === undefined) {
    log.warn(
      'FLYTE_PORT is set, but FLYTE_PRINCIPAL is not: the port stays shut, as it would let anyone use the agents',
    );
    return undefined;
  }
  const limits = callerLimits(config, gate);
  const isShared = config.DATABASE_URL?.startsWith('postgres') ?? false;
  const changes = isShared ? changesAnywhere(events, registry, OTHERS_EVERY_MS) : changesHere(events);
  const files = config.FLYTE_TLS === false ? undefined : tlsFiles(config);
  return startFlyteServer({
    source: registrySource(registry, changes, principal),
    routing: {
      source: registryDeployments(registry, changes, principal),
      engine: { engine: core.tasks, principal: ownerOf(principal) },
      recorder: new FlyteRecorder({
        recorded: core.tasks.recorded,
        principal: ownerOf(principal),
        storesIo: config.FLYTE_STORE_IO,
        log,
      }),
      connect: ({ address, tls }) => egress.grpcClient(address, { tls, channel: DEPLOYMENT_CHANNEL_OPTIONS }),
      probes: {},
    },
    ...(agents === undefined ? {} : { agents }),
    ...(limits === undefined ? {} : { limits }),
    ...(files === undefined ? {} : { tls: { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) } }),
    host: config.HOST,
    port: config.FLYTE_PORT,
    onCall: grpcMeter(metrics),
    onTaskCall: metrics.flyteTask,
    log,
  });
}
