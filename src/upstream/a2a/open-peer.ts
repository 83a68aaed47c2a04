import type { TokenCache } from '../credentials.ts';
import type { Egress } from '../egress.ts';
import type { UpstreamTarget } from '../executor.ts';
import { chooseEndpoint } from './endpoint.ts';
import { GrpcPeer } from './grpc-peer.ts';
import { HttpPeer } from './http-peer.ts';
import type { Peer } from './peer.ts';

/** The agent at the interface that fits best. @throws RollcallError AGENT_NOT_REACHABLE. */
export function openPeer(egress: Egress, tokens: TokenCache, target: UpstreamTarget): Peer {
  const endpoint = chooseEndpoint(target.agent, target.authentication);
  return 'address' in endpoint
    ? new GrpcPeer(egress, tokens, target, endpoint)
    : new HttpPeer(egress, tokens, target, endpoint);
}
