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

/**
 * True when credentials that were stored for `before` must not go to `after`: another origin could be somebody else's.
 */
export function originChanged(before: string | null, after: string | null): boolean {
  if (before === after || before === null) return false;
  return after === null || new URL(before).origin !== new URL(after).origin;
}
