import type { Query } from '../../database/drivers.ts';
import { LIMITS } from '../input/limits.ts';

/** A handle made of a name: "Invoice Reader!" → "invoice-reader"; "agent" where nothing of the name is left. */
export function handleFromName(name: string): string {
  const base = name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, LIMITS.handle - 8)
    .replace(/-+$/, '');
  return base === '' ? 'agent' : base;
}

/**
 * The first of base, base-2, base-3 … that no live agent has. Two callers who look at the same moment would find the same
 * one: they take turns until the end of the transaction.
 */
export async function freeHandle(query: Query, base: string): Promise<string> {
  await query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [base]);
  const rows = await query<{ handle: string }>(
    `select handle from agent where deleted_at is null and (handle = $1 or handle like $2)`,
    [base, `${base.replaceAll('_', '\\_')}-%`],
  );
  const taken = new Set(rows.map((r) => r.handle));
  if (!taken.has(base)) return base;
  for (let n = 2; ; n++) if (!taken.has(`${base}-${n}`)) return `${base}-${n}`;
}
