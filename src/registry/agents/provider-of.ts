import type { Principal } from '../../auth/principal.ts';
import type { Transaction } from '../../database/database.ts';
import { newId } from '../../database/ids.ts';
import { invalid } from '../../errors.ts';
import { providerChange } from '../audit/provider-change.ts';
import { writeAudit } from '../audit/write.ts';

/**
 * The provider of a name ($1) and url ($2). In the collation of the unique index: under another, a name such as "ÉCOLE"
 * would be taken and not found.
 */
export const SAME_PROVIDER = `select id from provider where lower(name) = lower($1::text collate "C") and coalesce(url, '') = coalesce($2, '')`;

/**
 * The provider that an input names: by id, or inline by name and url, which finds the provider of that identity or makes
 * it. Null when the input names none. The row is held until the end of the transaction: it cannot be deleted meanwhile.
 */
export async function providerOf(
  tx: Transaction,
  principal: Principal,
  input: {
    readonly providerId?: string | null | undefined;
    readonly provider?: { name: string; url: string | null } | null | undefined;
  },
): Promise<string | null> {
  if (input.providerId != null) {
    const rows = await tx.query('select 1 from provider where id = $1 for key share', [input.providerId]);
    if (rows.length === 0) throw invalid('input.providerId', `there is no provider ${input.providerId}`);
    return input.providerId;
  }
  if (input.provider == null) return null;
  const { name, url } = input.provider;
  const find = async () => (await tx.query<{ id: string }>(`${SAME_PROVIDER} for key share`, [name, url]))[0]?.id;
  const found = await find();
  if (found !== undefined) return found;
  const now = new Date();
  // Two callers may name a new provider at the same moment: the second takes the first one's row.
  const made = await tx.query<{ id: string }>(
    `insert into provider (id, name, url, owner, revision, created_at, updated_at) values ($1, $2, $3, $4, 1, $5, $5) on conflict do nothing returning id`,
    [newId(), name, url, principal.subject, now],
  );
  for (const { id } of made)
    await writeAudit(tx.query, principal, providerChange('registered', id, undefined, { name, url }));
  return (await find()) ?? null;
}
