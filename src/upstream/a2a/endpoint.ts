import { RollcallError } from '../../errors.ts';
import type { Credentials } from '../credentials.ts';
import { type GrpcAddress, parseGrpcAddress } from '../egress.ts';
import type { UpstreamAgent, UpstreamInterface } from '../executor.ts';
import { BINDINGS, type Binding, type GrpcBinding, type HttpBinding } from './bindings.ts';

interface Common {
  /** Goes back in every request, as the interface declares it. */
  readonly tenant: string | undefined;
  /** The http(s) origin that the stored credentials belong to. */
  readonly credentialsOrigin: string;
}

export interface HttpEndpoint extends Common {
  readonly binding: HttpBinding;
  readonly url: URL;
}

export interface GrpcEndpoint extends Common {
  readonly binding: GrpcBinding;
  /** As the interface declares it. */
  readonly url: string;
  readonly address: GrpcAddress;
}

/** Where and how an agent is spoken to. */
export type Endpoint = HttpEndpoint | GrpcEndpoint;

type Place = Omit<HttpEndpoint, 'credentialsOrigin'> | Omit<GrpcEndpoint, 'credentialsOrigin'>;

const JSON_RPC = BINDINGS['JSONRPC 1.0'] as Binding;

/** The place in an interface; undefined where we do not speak its binding, or its url is none. */
function placeOf(url: string, binding: Binding | undefined, tenant?: string): Place | undefined {
  if (binding === undefined) return undefined;
  if (binding.over === 'http') return URL.canParse(url) ? { binding, url: new URL(url), tenant } : undefined;
  try {
    return { binding, url, address: parseGrpcAddress(url), tenant };
  } catch (error) {
    if (error instanceof RollcallError) return undefined;
    throw error;
  }
}

const declaredPlace = (it: UpstreamInterface): Place | undefined =>
  placeOf(it.url, BINDINGS[`${it.binding.toUpperCase()} ${it.dialect}`], it.tenant);

const originOf = (place: Place): string => ('address' in place ? place.address.origin : place.url.origin);

/** Whether the agent's credentials may go there, and can: gRPC has no query that a key could be in. */
const canSignIn = (place: Place, { url }: UpstreamAgent, credentials: Credentials): boolean =>
  credentials.type === 'none' ||
  ((url === null || !URL.canParse(url) || new URL(url).origin === originOf(place)) &&
    !('address' in place && credentials.type === 'apiKey' && credentials.in === 'query'));

/**
 * The interface to use: the first declared one that we speak, as the agent's order is its preference (specification 1.0
 * §4.4.6); with credentials, the first one that they can be used at, if there is one. An agent that declares none is
 * taken to speak JSON-RPC 1.0 at its url.
 *
 * @throws RollcallError AGENT_NOT_REACHABLE naming what the agent offers.
 */
export function chooseEndpoint(agent: UpstreamAgent, credentials: Credentials): Endpoint {
  const declared = agent.interfaces.map(declaredPlace).filter((it) => it !== undefined);
  const byUrl = agent.interfaces.length > 0 || agent.url === null ? undefined : placeOf(agent.url, JSON_RPC);
  const place = declared.find((it) => canSignIn(it, agent, credentials)) ?? declared[0] ?? byUrl;
  if (place === undefined) {
    const offers = agent.interfaces.map((it) => `${it.binding} of ${it.protocolVersion}`).join(', ');
    throw new RollcallError(
      'AGENT_NOT_REACHABLE',
      `Agent ${agent.handle} offers ${offers || 'no interface'}; Rollcall speaks ${Object.keys(BINDINGS).join(', ')}. Declare one of these.`,
    );
  }
  const credentialsOrigin = agent.url === null ? originOf(place) : new URL(agent.url).origin;
  return { ...place, credentialsOrigin };
}
