import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { isUuid } from '../../database/ids.ts';
import { toDate, Values } from '../../database/values.ts';
import { invalid } from '../../errors.ts';
import { storable } from '../input/check.ts';
import { decodeCursor, encodeCursor, type Page, pageSize, toPage, UUID_KEY } from '../lists/cursor.ts';
import type { FieldChange } from '../model.ts';
import { requireScope } from '../visibility.ts';

export const AUDIT_OUTCOMES = ['allowed', 'denied'] as const;

/** One line of the audit log. */
export interface AuditEntry {
  readonly id: string;
  /** Of a refusal: the beginning of its minute. */
  readonly at: Date;
  readonly actor: string;
  readonly scopes: readonly string[];
  readonly outcome: (typeof AUDIT_OUTCOMES)[number];
  readonly operation: string;
  readonly targetType: string | null;
  readonly targetId: string | null;
  /** The code of a refusal. */
  readonly code: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  readonly changes: readonly FieldChange[];
  /** How often in its minute: 1 for a change. */
  readonly count: number;
}

/** Which lines: all of these conditions. */
export interface AuditFilter {
  readonly actor?: string | null;
  readonly operation?: string | null;
  readonly targetType?: string | null;
  readonly targetId?: string | null;
  readonly outcome?: AuditEntry['outcome'] | null;
  /** At this moment or later. */
  readonly since?: Date | null;
  /** Before this moment. */
  readonly until?: Date | null;
}

export interface AuditRequest {
  readonly filter?: AuditFilter | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

type Row = Record<string, unknown> & { readonly id: string; readonly at: string };

const COLUMNS = `e.id, e.at, e.actor, e.scopes, e.outcome, e.operation, e.target_type as "targetType",
  e.target_id as "targetId", e.code, e.address, e.user_agent as "userAgent", e.request_id as "requestId", e.changes, e.count`;

/** Equality filters: the column of each. */
const EQUAL = { operation: 'operation', targetType: 'target_type', targetId: 'target_id', outcome: 'outcome' } as const;

/** A page of the log, newest first. @throws RollcallError INVALID_INPUT; UNAUTHENTICATED, FORBIDDEN (scope admin). */
export async function listAudit(
  query: Query,
  principal: Principal,
  { filter, first, after }: AuditRequest,
): Promise<Page<AuditEntry>> {
  requireScope(principal, 'admin');
  const size = pageSize(first);
  const values = new Values();
  const conditions = ['true'];
  const { actor, since, until } = filter ?? {};
  if (actor != null) {
    if (!isUuid(actor)) throw invalid('filter.actor', 'must be a UUID');
    conditions.push(`e.actor = ${values.add(actor)}::uuid`);
  }
  for (const [name, column] of Object.entries(EQUAL)) {
    const wanted = filter?.[name as keyof typeof EQUAL];
    if (wanted != null) conditions.push(`e.${column} = ${values.add(storable(`filter.${name}`, wanted))}`);
  }
  if (since != null) conditions.push(`e.at >= ${values.add(since)}::timestamptz`);
  if (until != null) conditions.push(`e.at < ${values.add(until)}::timestamptz`);
  if (after != null) {
    const [id] = decodeCursor(after, 'audit', [UUID_KEY]);
    conditions.push(`e.id < ${values.add(id)}::uuid`);
  }
  const rows = await query<Row>(
    `select ${COLUMNS} from audit_entry e where ${conditions.join(' and ')} order by e.id desc limit ${size + 1}`,
    values.list,
  );
  const toEntry = (row: Row): AuditEntry => ({ ...row, at: toDate(row.at) }) as unknown as AuditEntry;
  return toPage(rows, size, toEntry, ({ id }) => encodeCursor('audit', [id]));
}

const BATCH = 1_000;

/**
 * Removes what is older than `retentionMs`, at least a day, a batch at a time; answers how many lines. The one way there
 * is: the database refuses to delete lines otherwise.
 */
export async function removeOldAudit(query: Query, retentionMs: number, signal: AbortSignal): Promise<number> {
  let removed = 0;
  while (!signal.aborted) {
    const [row] = await query<{ n: number }>('select expire_audit($1::timestamptz, $2) as n', [
      new Date(Date.now() - retentionMs),
      BATCH,
    ]);
    removed += row!.n;
    if (row!.n < BATCH) break;
  }
  return removed;
}
