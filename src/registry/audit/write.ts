import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { newId } from '../../database/ids.ts';
import type { FieldChange } from '../model.ts';

/** What was done, to what. */
export interface AuditedChange {
  /** The kind of thing and what happened to it: `agent.updated`. */
  readonly operation: string;
  readonly targetType: string;
  readonly targetId: string;
  /** Without secrets: those show as "(set)", "(changed)" or "(removed)". */
  readonly changes: readonly FieldChange[];
}

/** Longest text that is taken over from a request. */
const LONGEST = 500;

/** Text of a caller as the database takes it. */
export const kept = (text: string | undefined): string | null =>
  text === undefined ? null : text.slice(0, LONGEST).replaceAll('\0', '').toWellFormed();

/** The line of the log, as the columns of its row. */
export const auditRow = (principal: Principal, { operation, targetType, targetId, changes }: AuditedChange) => ({
  id: newId(),
  at: new Date(),
  actor: principal.subject,
  scopes: [...principal.scopes],
  outcome: 'allowed' as const,
  operation,
  targetType,
  targetId,
  code: null,
  address: kept(principal.origin?.address),
  userAgent: kept(principal.origin?.userAgent),
  requestId: kept(principal.origin?.requestId),
  changes,
  count: 1,
  denial: null,
});

/** Writes changes into the log: in the transaction of the change, so that neither is there without the other. */
export async function writeAudit(
  query: Query,
  principal: Principal,
  ...changes: readonly AuditedChange[]
): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map((change) => auditRow(principal, change));
  await query(
    `insert into audit_entry (id, at, actor, scopes, outcome, operation, target_type, target_id, address, user_agent, request_id, changes)
     select w.id, w.at, $1, $2::text[], 'allowed', w.operation, w.target_type, w.target_id, $3, $4, $5, w.changes
     from jsonb_to_recordset($6::jsonb) as w(id uuid, at timestamptz, operation text, target_type text, target_id text, changes jsonb)`,
    [
      principal.subject,
      [...principal.scopes],
      kept(principal.origin?.address),
      kept(principal.origin?.userAgent),
      kept(principal.origin?.requestId),
      JSON.stringify(
        rows.map(({ id, at, operation, targetType, targetId, changes: listed }) => ({
          id,
          at,
          operation,
          target_type: targetType,
          target_id: targetId,
          changes: listed,
        })),
      ),
    ],
  );
}
