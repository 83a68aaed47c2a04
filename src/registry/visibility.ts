import { allows, type Denial, type Principal, type Scope } from '../auth/principal.ts';
import type { Values } from '../database/values.ts';
import { RollcallError } from '../errors.ts';
import type { Visibility } from './words.ts';

/** What visibility rules look at. */
export interface Ownable {
  readonly owner: string;
  readonly visibility: Visibility;
}

/**
 * The rule of who sees an agent, as SQL over the alias of its row. It stands in every statement that reads agents, so
 * that what one may not see does not exist for any face.
 */
export function visibleSql(principal: Principal, alias: string, values: Values): string {
  if (principal.scopes.has('admin')) return 'true';
  if (principal.anonymous) return `${alias}.visibility = 'public'`;
  return `(${alias}.visibility <> 'private' or ${alias}.owner = ${values.add(principal.subject)}::uuid)`;
}

/** The rule of {@link visibleSql}, for a row at hand. */
export function isVisible(principal: Principal, row: Ownable): boolean {
  if (principal.scopes.has('admin') || row.visibility === 'public') return true;
  if (principal.anonymous) return false;
  return row.visibility === 'internal' || row.owner === principal.subject;
}

/** Owners and `admin` change things. */
export const mayChange = (principal: Principal, row: { readonly owner: string }): boolean =>
  !principal.anonymous && (row.owner === principal.subject || principal.scopes.has('admin'));

/** What a caller without the scope is told; undefined for one who holds it. */
export function missingScope(principal: Principal, scope: Scope): RollcallError | undefined {
  if (allows(principal, scope)) return undefined;
  if (principal.anonymous) return new RollcallError('UNAUTHENTICATED', `Sign in first: this needs the scope ${scope}.`);
  return new RollcallError('FORBIDDEN', `This needs the scope ${scope}, which your token does not have.`, {
    details: { scope },
  });
}

/** @throws RollcallError UNAUTHENTICATED for an anonymous caller, FORBIDDEN naming the scope for one without it. */
export function requireScope(principal: Principal, scope: Scope): void {
  const refusal = missingScope(principal, scope);
  if (refusal === undefined) return;
  principal.origin?.denied?.(principal, { code: refusal.code as Denial['code'], operation: scope });
  throw refusal;
}

/** What a caller is told who is neither the owner nor `admin`; undefined for those. */
export const notOwner = (
  principal: Principal,
  row: { readonly owner: string },
  what: string,
): RollcallError | undefined =>
  mayChange(principal, row)
    ? undefined
    : new RollcallError('FORBIDDEN', `Only the owner of ${what}, or a caller with the scope admin, may change it.`);

/**
 * @param what its kind and name: "agent echo"
 * @throws RollcallError FORBIDDEN when the caller is neither the owner nor `admin`.
 */
export function requireOwnership(
  principal: Principal,
  row: { readonly id: string; readonly owner: string },
  what: string,
): void {
  const refusal = notOwner(principal, row, what);
  if (refusal === undefined) return;
  const [targetType] = what.split(' ');
  principal.origin?.denied?.(principal, { code: 'FORBIDDEN', operation: 'change', targetType, targetId: row.id });
  throw refusal;
}
