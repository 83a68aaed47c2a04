import type { Metadata } from '@grpc/grpc-js';
import type { Origin, Principal } from '../../auth/principal.ts';
import { isUuid, newId } from '../../database/ids.ts';
import { invalid, RollcallError } from '../../errors.ts';
import { addressOfPeer } from '../../grpc/peer.ts';
import type { Gate } from '../../http/gate.ts';
import { REQUEST_ID } from '../../http/request-id.ts';
import { EXTENSIONS_HEADER, extensionsIn } from '../../protocol/a2a/extensions.ts';
import { dialectOfVersion } from '../../protocol/a2a/methods.ts';
import type { Call } from '../call.ts';

const textOf = (metadata: Metadata, name: string): string | undefined => {
  const values = metadata.get(name).map(String);
  return values.length === 0 ? undefined : values.join(',');
};

/** The package says which version it is; a call that says another one is refused rather than misunderstood. */
function checkVersion(version: string | undefined): void {
  const asked = dialectOfVersion(version);
  if (asked === undefined || asked === '1.0') return;
  throw new RollcallError(
    'VERSION_NOT_SUPPORTED',
    `Package lf.a2a.v1 is A2A 1.0, but the call says a2a-version ${version}: make them agree.`,
  );
}

/** gRPC has no path: the tenant of the request names the agent. */
function agentOf(params: unknown): string {
  const { tenant } = params as { readonly tenant?: string };
  if (tenant === undefined) throw invalid('tenant', "must be the agent's id: gRPC has no other address.");
  if (isUuid(tenant)) return tenant.toLowerCase();
  throw new RollcallError('NOT_FOUND', `There is no agent ${JSON.stringify(tenant.slice(0, 255))} that you may see.`);
}

/**
 * Who calls.
 *
 * @param peer `host:port`, as grpc gives it
 * @throws RollcallError UNAUTHENTICATED, RATE_LIMITED.
 */
export async function callerOf(gate: Gate, metadata: Metadata, peer: string): Promise<Principal> {
  const asked = textOf(metadata, 'x-request-id');
  const origin: Origin = {
    door: 'grpc',
    address: addressOfPeer(peer),
    userAgent: textOf(metadata, 'user-agent'),
    requestId: asked !== undefined && REQUEST_ID.test(asked) ? asked : newId(),
  };
  return (await gate.admit(origin, textOf(metadata, 'authorization'))).principal;
}

/**
 * What the metadata of a call and the tenant of its request say.
 *
 * @throws RollcallError VERSION_NOT_SUPPORTED, INVALID_INPUT (no tenant), NOT_FOUND (no such agent).
 */
export function callOf(principal: Principal, metadata: Metadata, params: unknown, signal: AbortSignal): Call {
  checkVersion(textOf(metadata, 'a2a-version'));
  return {
    principal,
    agentId: agentOf(params),
    dialect: '1.0',
    ambiguous: false,
    extensions: extensionsIn(textOf(metadata, EXTENSIONS_HEADER['1.0'])),
    idempotencyKey: textOf(metadata, 'idempotency-key'),
    // Events have no ids in gRPC: a subscriber begins with the task as it is.
    lastEventId: undefined,
    signal,
  };
}
