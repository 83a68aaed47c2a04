import type { Principal } from '../auth/principal.ts';
import type { Query } from '../database/drivers.ts';
import { isUuid, newId } from '../database/ids.ts';
import { Values } from '../database/values.ts';
import { RollcallError } from '../errors.ts';
import { requireRevision } from './agents/change.ts';
import { conflictsAs } from './agents/conflicts.ts';
import { SAME_PROVIDER } from './agents/provider-of.ts';
import { providerChange } from './audit/provider-change.ts';
import { writeAudit } from './audit/write.ts';
import type { RegistryContext } from './context.ts';
import { check, storable } from './input/check.ts';
import { type ProviderInput, type ProviderPatch, providerPatchSchema, providerSchema } from './input/schemas.ts';
import { decodeCursor, encodeCursor, type Page, pageSize, TEXT_KEY, toPage, UUID_KEY } from './lists/cursor.ts';
import type { Provider } from './model.ts';
import { PROVIDER_COLUMNS, toProvider } from './rows.ts';
import { requireOwnership, requireScope } from './visibility.ts';

type Row = Record<string, unknown> & { id: string; name: string };

const notFound = (id: string): RollcallError =>
  new RollcallError('NOT_FOUND', `There is no provider ${JSON.stringify(id)}.`);

/** The providers of these ids; undefined for what is none. */
export async function providersById(
  query: Query,
  principal: Principal,
  ids: readonly string[],
): Promise<(Provider | undefined)[]> {
  requireScope(principal, 'registry:read');
  const rows = await query<Row>(`select ${PROVIDER_COLUMNS} from provider p where p.id = any($1::uuid[])`, [
    ids.filter(isUuid),
  ]);
  const found = new Map(rows.map((row) => [row.id, toProvider(row)]));
  return ids.map((id) => found.get(id.toLowerCase()));
}

/** A page of providers by name, those whose name contains `search` where it is given. */
export async function listProviders(
  query: Query,
  principal: Principal,
  request: { readonly search?: string | null; readonly first?: number | null; readonly after?: string | null },
): Promise<Page<Provider>> {
  requireScope(principal, 'registry:read');
  const size = pageSize(request.first);
  const values = new Values();
  const conditions = ['true'];
  if (request.search != null && request.search.trim() !== '')
    conditions.push(
      `strpos(lower(p.name collate "default"), lower(${values.add(storable('search', request.search.trim()))})) > 0`,
    );
  if (request.after != null) {
    const [name, id] = decodeCursor(request.after, 'provider', [TEXT_KEY, UUID_KEY]);
    conditions.push(`(p.name, p.id) > (${values.add(name)}, ${values.add(id)}::uuid)`);
  }
  const rows = await query<Row>(
    `select ${PROVIDER_COLUMNS} from provider p where ${conditions.join(' and ')} order by p.name, p.id limit ${size + 1}`,
    values.list,
  );
  return toPage(rows, size, toProvider, (row) => encodeCursor('provider', [row.name, row.id]));
}

/** Registers a provider. @throws RollcallError INVALID_INPUT, ALREADY_EXISTS, UNAUTHENTICATED, FORBIDDEN. */
export async function registerProvider(
  context: RegistryContext,
  principal: Principal,
  input: ProviderInput,
): Promise<Provider> {
  requireScope(principal, 'registry:write');
  const { name, url } = check(providerSchema, input);
  const id = newId();
  const made = await context.database.transaction(async (tx) => {
    const [row] = await tx.query<Row>(
      `insert into provider as p (id, name, url, owner, revision, created_at, updated_at) values ($1, $2, $3, $4, 1, $5, $5)
       on conflict do nothing returning ${PROVIDER_COLUMNS}`,
      [id, name, url, principal.subject, new Date()],
    );
    if (row === undefined) return undefined;
    await writeAudit(tx.query, principal, providerChange('registered', id, undefined, { name, url }));
    return toProvider(row);
  });
  if (made !== undefined) return made;
  const [there] = await context.database.query<{ id: string }>(SAME_PROVIDER, [name, url]);
  throw new RollcallError('ALREADY_EXISTS', 'input.name: there is a provider of this name and url already', {
    field: 'input.name',
    details: there === undefined ? {} : { id: there.id },
  });
}

async function locked(query: Query, principal: Principal, id: string, revision: number | undefined): Promise<Provider> {
  requireScope(principal, 'registry:write');
  if (!isUuid(id)) throw notFound(id);
  const [row] = await query<Row>(`select ${PROVIDER_COLUMNS} from provider p where p.id = $1 for update`, [id]);
  if (row === undefined) throw notFound(id);
  const provider = toProvider(row);
  requireOwnership(principal, provider, `provider ${provider.name}`);
  requireRevision(provider.revision, revision, `provider ${provider.name}`);
  return provider;
}

/** Changes a provider: what is left out stays. Answers it as it is then. @throws as {@link registerProvider}, and NOT_FOUND, STALE_REVISION. */
export async function updateProvider(
  context: RegistryContext,
  principal: Principal,
  id: string,
  patch: ProviderPatch,
  revision?: number,
): Promise<Provider> {
  const fields = check(providerPatchSchema, patch);
  return conflictsAs(fields, () =>
    context.database.transaction(async (tx) => {
      const before = await locked(tx.query, principal, id, revision);
      const after = { name: fields.name ?? before.name, url: fields.url === undefined ? before.url : fields.url };
      if (after.name === before.name && after.url === before.url) return before;
      const [row] = await tx.query<Row>(
        `update provider p set name = $2, url = $3, revision = revision + 1, updated_at = $4 where id = $1
         returning ${PROVIDER_COLUMNS}`,
        [id, after.name, after.url, new Date()],
      );
      await writeAudit(tx.query, principal, providerChange('updated', id, before, after));
      return toProvider(row!);
    }),
  );
}

/** Deletes a provider that no agent has, and answers it as it was. @throws RollcallError FAILED_PRECONDITION while agents have it, and as {@link updateProvider}. */
export async function deleteProvider(
  context: RegistryContext,
  principal: Principal,
  id: string,
  revision?: number,
): Promise<Provider> {
  return context.database.transaction(async (tx) => {
    const provider = await locked(tx.query, principal, id, revision);
    const [agents] = await tx.query<{ n: number }>(
      'select count(*)::int as n from agent where provider = $1 and deleted_at is null',
      [id],
    );
    if (agents!.n > 0) {
      throw new RollcallError(
        'FAILED_PRECONDITION',
        `The provider ${provider.name} has ${agents!.n} agent${agents!.n === 1 ? '' : 's'}; give them another provider, or delete them, first.`,
        { details: { agents: agents!.n } },
      );
    }
    await tx.query('update agent set provider = null where provider = $1', [id]);
    await tx.query('delete from provider where id = $1', [id]);
    await writeAudit(tx.query, principal, providerChange('deleted', id, provider, undefined));
    return provider;
  });
}
