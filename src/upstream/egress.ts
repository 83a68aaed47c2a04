import { Egress, type EgressOptions } from './egress/client.ts';

export { LOOPBACK_ENTRIES } from './egress/allow.ts';
export type { Egress, EgressFetch, EgressOptions, EgressRequest, EgressStreamRequest } from './egress/client.ts';
export { type GrpcAddress, parseGrpcAddress } from './egress/grpc/address.ts';
export type { GrpcUse } from './egress/grpc/clients.ts';
export { DEFAULT_LIMITS, type EgressLimits } from './egress/limits.ts';
export type { EgressMethod } from './egress/redirects.ts';
export type { CheckedAddress, Resolver } from './egress/resolve.ts';
export type { EgressResponse, EgressStream } from './egress/response.ts';
export { type OutboundUrl, parseOutboundUrl } from './egress/url.ts';

/**
 * The one door through which everything goes out that a user supplied: card URLs, agent endpoints, push URLs, OAuth
 * token URLs, gRPC servers. Only plainly written http(s) URLs and gRPC addresses pass; every address a name resolves to
 * must be public or listed in `allow`; the connection is made to an address that was checked, without a second lookup;
 * each redirect is checked anew; time, size, headers and redirects are limited.
 *
 * @throws RollcallError INVALID_INPUT naming EGRESS_ALLOW and the entry that is wrong.
 */
export const createEgress = (options: EgressOptions): Egress => new Egress(options);
