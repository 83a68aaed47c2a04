import type { IncomingHttpHeaders } from 'node:http';
import { holdsForeign, type Principal } from '../../auth/principal.ts';
import type { GatewayContext } from '../engine.ts';

/** What one caller brings to an operation. */
export interface Caller {
  readonly principal: Principal;
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
}

/** Makes the context of one operation: the composition root knows what resolvers need in it. */
export type ContextFactory = (caller: Caller) => GatewayContext;

/** What the gateway itself reads in it. */
export const gatewayContext = ({ principal, headers }: Caller): GatewayContext => ({
  headers,
  principal,
  principalKey: principal.subject,
  signedIn: !principal.anonymous,
  holdsScope: (scope) => holdsForeign(principal, scope),
});
