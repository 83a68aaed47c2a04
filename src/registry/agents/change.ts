import { LockMode } from '@mikro-orm/core';
import type { Principal } from '../../auth/principal.ts';
import type { Transaction } from '../../database/database.ts';
import { AgentChangeEntity, AgentEntity, AuditEntryEntity } from '../../database/entities/index.ts';
import { isUuid, newId } from '../../database/ids.ts';
import { RollcallError } from '../../errors.ts';
import { auditRow } from '../audit/write.ts';
import type { RegistryContext } from '../context.ts';
import type { AgentAction, FieldChange } from '../model.ts';
import { refreshSearch } from '../search-index.ts';
import { isVisible, requireOwnership, requireScope } from '../visibility.ts';
import type { Visibility } from '../words.ts';
import { fieldChanges, type Snapshot, snapshot } from './field-changes.ts';

/** An agent as the unit of work holds it. */
export type AgentRow = InstanceType<typeof AgentEntity.class>;

export const agentNotFound = (idOrHandle: string): RollcallError =>
  new RollcallError('NOT_FOUND', `There is no agent ${JSON.stringify(idOrHandle)} that you may see.`);

/** @throws RollcallError STALE_REVISION when the caller knew another revision than the present one. */
export function requireRevision(present: number, expected: number | undefined, what: string): void {
  if (expected === undefined || expected === present) return;
  throw new RollcallError(
    'STALE_REVISION',
    `input.revision: ${what} is at revision ${present}, not ${expected}: it changed meanwhile. Read it again and repeat the change.`,
    { field: 'input.revision', details: { revision: present } },
  );
}

/** Adds a line to an agent's history, and to the audit log. */
export function recordChange(
  tx: Transaction,
  actor: Principal,
  agent: AgentRow,
  action: AgentAction,
  changes: readonly FieldChange[],
): void {
  tx.em.create(AgentChangeEntity, {
    id: newId(),
    agent: agent.id,
    revision: agent.revision,
    action,
    actor: actor.subject,
    at: agent.updatedAt,
    changes,
  });
  tx.em.create(
    AuditEntryEntity,
    auditRow(actor, {
      operation: `agent.${action}`,
      targetType: 'agent',
      targetId: agent.id,
      changes: changes.length === 0 ? asMade(agent) : changes,
    }) as never,
  );
}

/** What there was to see of an agent when it was made. The history needs no copy: the agent itself says it. */
function asMade(agent: AgentRow): FieldChange[] {
  const made = fieldChanges({} as Snapshot, snapshot(agent)).map(({ field, after }) => ({
    field,
    before: null,
    after,
  }));
  const shown = made.filter(({ after }) => after != null && !(Array.isArray(after) && after.length === 0));
  return agent.authenticationConfig == null
    ? shown
    : [...shown, { field: 'authenticationConfig', before: null, after: '(set)' }];
}

/** Tells everyone after the commit. */
export function publishAgent(context: RegistryContext, agent: AgentRow, action: AgentAction): void {
  context.events.publish('agent', {
    agentId: agent.id,
    handle: agent.handle,
    action,
    revision: agent.revision,
    owner: agent.owner,
    visibility: agent.visibility as Visibility,
    at: agent.updatedAt.toISOString(),
  });
}

/** What a change is asked for with. */
export interface ChangeRequest {
  readonly agentId: string;
  /** The revision that the caller read; undefined takes whatever is there. */
  readonly revision?: number | undefined;
  readonly action: AgentAction;
}

/**
 * The frame of every change of an agent: finds it, checks rights and revision under a row lock, lets `work` change it,
 * raises the revision, writes the history, renews the search columns, commits, and only then publishes. When `work`
 * reports no change, nothing is written.
 *
 * @throws RollcallError NOT_FOUND, UNAUTHENTICATED, FORBIDDEN, STALE_REVISION, and what `work` throws.
 */
export async function changeAgent(
  context: RegistryContext,
  principal: Principal,
  request: ChangeRequest,
  work: (agent: AgentRow, tx: Transaction) => Promise<readonly FieldChange[]> | readonly FieldChange[],
): Promise<void> {
  requireScope(principal, 'registry:write');
  if (!isUuid(request.agentId)) throw agentNotFound(request.agentId);
  const changed = await context.database.transaction(async (tx) => {
    const agent = await tx.em.findOne(
      AgentEntity,
      { id: request.agentId, deletedAt: null },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (agent === null || !isVisible(principal, agent as never)) throw agentNotFound(request.agentId);
    requireOwnership(principal, agent, `agent ${agent.handle}`);
    requireRevision(agent.revision, request.revision, `agent ${agent.handle}`);
    const changes = await work(agent, tx);
    if (changes.length === 0) return undefined;
    // Always later: a clock that stands still or was set back would leave the row, and its revision, as they were.
    agent.updatedAt = new Date(Math.max(Date.now(), agent.updatedAt.getTime() + 1));
    await tx.em.flush();
    recordChange(tx, principal, agent, request.action, changes);
    await tx.em.flush();
    await refreshSearch(tx.query, [agent.id]);
    return agent;
  });
  if (changed !== undefined) publishAgent(context, changed, request.action);
}
