import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { newId } from '../../database/ids.ts';
import { providerChange } from '../audit/provider-change.ts';
import { writeAudit } from '../audit/write.ts';
import type { Loading, Placed } from './load.ts';
import type { ProviderRecord, ProviderReference } from './records.ts';

/** The providers that a record may mean: by its id, and by name and url. */
interface Found {
  readonly byId?: string;
  readonly byIdentity?: string;
}

/** Looks all of them up in one statement, names compared as the unique index does. */
async function find(query: Query, references: readonly ProviderReference[]): Promise<Found[]> {
  if (references.length === 0) return [];
  const rows = await query<{ i: number; byId: string | null; byIdentity: string | null }>(
    `select w.i, d.id as "byId", n.id as "byIdentity"
     from unnest($1::int[], $2::uuid[], $3::text[], $4::text[]) as w(i, id, name, url)
     left join provider d on d.id = w.id
     left join provider n on lower(n.name) = lower(w.name collate "C") and coalesce(n.url, '') = coalesce(w.url, '')
     order by w.i`,
    [
      references.map((_, i) => i),
      references.map((r) => r.id ?? null),
      references.map((r) => r.name),
      references.map((r) => r.url),
    ],
  );
  return rows.map(({ byId, byIdentity }) => ({
    ...(byId === null ? {} : { byId }),
    ...(byIdentity === null ? {} : { byIdentity }),
  }));
}

interface NewProvider extends ProviderReference {
  readonly owner: string;
  readonly createdAt?: Date | undefined;
  readonly updatedAt?: Date | undefined;
}

async function create(query: Query, principal: Principal, providers: readonly NewProvider[]): Promise<void> {
  const now = new Date();
  const made = await query<{ id: string; name: string; url: string | null }>(
    `insert into provider (id, name, url, owner, revision, created_at, updated_at)
     select w.id, w.name, w.url, w.owner, 1, w.created, w.updated
     from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[], $6::timestamptz[]) as w(id, name, url, owner, created, updated)
     on conflict do nothing returning id, name, url`,
    [
      providers.map((p) => p.id ?? newId()),
      providers.map((p) => p.name),
      providers.map((p) => p.url),
      providers.map((p) => p.owner),
      providers.map((p) => p.createdAt ?? now),
      providers.map((p) => p.updatedAt ?? p.createdAt ?? now),
    ],
  );
  await writeAudit(query, principal, ...made.map((row) => providerChange('registered', row.id, undefined, row)));
}

/** Loads providers: none of the run names another's id, or name and url. */
export async function loadProviders(loading: Loading, placed: readonly Placed<ProviderRecord>[]): Promise<void> {
  const { tx, principal, onConflict, counts, problems } = loading;
  const found = await find(
    tx.query,
    placed.map((p) => p.record),
  );
  const fresh: NewProvider[] = [];
  for (const [i, { index, record }] of placed.entries()) {
    const { byId, byIdentity } = found[i]!;
    const there = byId ?? byIdentity;
    if (there === undefined) {
      fresh.push({ ...record, owner: record.owner ?? principal.subject });
      counts.created++;
    } else if (onConflict === 'skip') counts.skipped++;
    else if (onConflict === 'fail')
      problems.push(
        byId !== undefined
          ? { index, field: 'provider.id', message: `the provider ${byId} is there already` }
          : { index, field: 'provider.name', message: `the provider ${there} has this name and url already` },
      );
    else if (byId !== undefined && byIdentity !== undefined && byId !== byIdentity)
      problems.push({ index, field: 'provider.name', message: `the provider ${byIdentity} has this name and url` });
    else {
      const [before] = await tx.query<{ name: string; url: string | null }>(
        'select name, url from provider where id = $1 for update',
        [there],
      );
      const changed = await tx.query(
        `update provider set name = $2, url = $3, owner = coalesce($4, owner), revision = revision + 1, updated_at = $5
         where id = $1 and (name, coalesce(url, ''), owner) is distinct from ($2, coalesce($3, ''), coalesce($4, owner)) returning id`,
        [there, record.name, record.url, record.owner ?? null, new Date()],
      );
      if (changed.length > 0) {
        counts.updated++;
        await writeAudit(tx.query, principal, providerChange('updated', there, before, record));
      } else counts.unchanged++;
    }
  }
  if (fresh.length > 0 && problems.length === 0 && !loading.dryRun) await create(tx.query, principal, fresh);
}

/**
 * The ids of the providers that agents name: by id, else by name and url, else new ones of the agents' owners. In a dry
 * run, what would be new has no id.
 */
export async function resolveProviders(
  loading: Loading,
  wanted: readonly { readonly reference: ProviderReference; readonly owner: string }[],
): Promise<(string | null)[]> {
  const { query } = loading.tx;
  const references = wanted.map((w) => w.reference);
  const first = await find(query, references);
  const missing = wanted.filter((_, i) => first[i]!.byId === undefined && first[i]!.byIdentity === undefined);
  if (missing.length > 0 && !loading.dryRun)
    await create(
      query,
      loading.principal,
      missing.map(({ reference, owner }) => ({ ...reference, owner })),
    );
  const found = missing.length === 0 ? first : await find(query, references);
  return found.map(({ byId, byIdentity }) => byId ?? byIdentity ?? null);
}
