import type { SecretBox } from '../../database/secret-box.ts';
import type { Authentication } from '../input/authentication.ts';
import { authenticationSchema, hasSecret } from '../input/authentication.ts';

const place = (agentId: string) => ({ table: 'agent', row: agentId, column: 'authentication_config' });

/** What is stored of an authentication: nothing unless it carries a secret; the type has a column of its own. */
export const sealAuthentication = (box: SecretBox, agentId: string, authentication: Authentication): string | null =>
  hasSecret(authentication) ? box.seal(JSON.stringify(authentication), place(agentId)) : null;

/** @throws RollcallError FAILED_PRECONDITION when it was sealed under another key. */
export const openAuthentication = (box: SecretBox, agentId: string, sealed: string): Authentication =>
  authenticationSchema.parse(JSON.parse(box.open(sealed, place(agentId))));

/** Where an agent is reached. */
export interface Reached {
  readonly url: string | null;
  readonly interfaces: readonly { readonly url: string }[];
}

/** Where the agent of a row, or of a snapshot of it, is reached. */
export const reached = (row: { readonly url?: unknown; readonly interfaces?: unknown }): Reached => ({
  url: (row.url ?? null) as string | null,
  interfaces: (row.interfaces ?? []) as Reached['interfaces'],
});

/**
 * True when credentials that were stored for `before` must not go to `after`: another origin could be somebody else's.
 */
export function originChanged(before: Reached, after: Reached): boolean {
  if (before.url !== null) return after.url === null || originOf(before.url) !== originOf(after.url);
  // Without a url, credentials go to the interface that is called, whichever that will be.
  const known = new Set(before.interfaces.map((it) => originOf(it.url)));
  const next = after.url === null ? after.interfaces.map((it) => it.url) : [after.url];
  return known.size > 0 && next.some((url) => !known.has(originOf(url)));
}

/** `host:port`, as gRPC interfaces are written, is an origin of its own. */
const originOf = (url: string): string => (/^https?:/i.test(url) && URL.canParse(url) ? new URL(url).origin : url);
