import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { toDate, Values } from '../../database/values.ts';
import { skillsOfAgents, taskCategoriesOfAgents } from '../agents/read.ts';
import { deploymentsOfAgents } from '../flyte/read-deployments.ts';
import { decodeCursor, encodeCursor, pageSize } from '../lists/cursor.ts';
import type { Agent, Deployment, Skill, TaskCategory } from '../model.ts';
import { AGENT_COLUMNS, AGENT_TABLES, PROVIDER_COLUMNS, toAgent, toProvider } from '../rows.ts';
import { mayChange, requireScope, visibleSql } from '../visibility.ts';

/** Some records of an export, in its order; `next` continues after the last one, null at the end. */
export interface ExportPage {
  readonly records: readonly Readonly<Record<string, unknown>>[];
  readonly next: string | null;
}

type Row = Record<string, unknown> & { id: string };

const UUID = /^[0-9a-f-]{36}$/;
/** Source cards that one page holds at most, in bytes, unless one alone is larger: a page is in memory as a whole. */
const MOST_CARD_BYTES = 4 * 1024 * 1024;

const KINDS = ['provider', 'agent'] as const;
type Kind = (typeof KINDS)[number];

/**
 * A page of the registry as transfer records: the providers by id, then by id the agents that the caller may see, each
 * with its skills, task categories and source card. Credentials are not in it.
 *
 * @throws RollcallError INVALID_INPUT (page size, cursor), UNAUTHENTICATED, FORBIDDEN.
 */
export async function exportRecords(
  query: Query,
  principal: Principal,
  request: { readonly first?: number | null; readonly after?: string | null },
): Promise<ExportPage> {
  requireScope(principal, 'registry:read');
  const size = pageSize(request.first);
  const [kind, after] =
    request.after == null
      ? (['provider', null] as const)
      : (decodeCursor(request.after, 'export', [/^(provider|agent)$/, /^([0-9a-f-]{36})?$/]) as [Kind, string]);
  const records = await PAGES[kind](query, principal, size, after || null);
  const last = records.at(-1);
  if (records.length > 0) return { records, next: encodeCursor('export', [kind, last!['id'] as string]) };
  const following = KINDS[KINDS.indexOf(kind) + 1];
  if (following === undefined) return { records, next: null };
  return exportRecords(query, principal, { first: size, after: encodeCursor('export', [following, '']) });
}

const PAGES: Readonly<
  Record<
    Kind,
    (query: Query, principal: Principal, size: number, after: string | null) => Promise<ExportPage['records']>
  >
> = { provider: providerPage, agent: agentPage };

async function providerPage(query: Query, _principal: Principal, size: number, after: string | null) {
  const rows = await query<Row>(
    `select ${PROVIDER_COLUMNS} from provider p where $1::uuid is null or p.id > $1::uuid order by p.id limit ${size}`,
    [after],
  );
  return rows.map(toProvider).map(({ id, name, url, owner, createdAt, updatedAt }) => ({
    kind: 'provider',
    id,
    name,
    url,
    owner,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }));
}

async function agentPage(query: Query, principal: Principal, size: number, after: string | null) {
  const values = new Values();
  const conditions = ['a.deleted_at is null', visibleSql(principal, 'a', values)];
  if (after !== null && UUID.test(after)) conditions.push(`a.id > ${values.add(after)}::uuid`);
  const rows = await query<Row & { cardBytes: number }>(
    `select ${AGENT_COLUMNS}, coalesce((select octet_length(c.body) from source_card c where c.agent = a.id), 0) as "cardBytes"
     from ${AGENT_TABLES} where ${conditions.join(' and ')} order by a.id limit ${size}`,
    values.list,
  );
  const fitting: typeof rows = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += row.cardBytes;
    if (bytes > MOST_CARD_BYTES && fitting.length > 0) break;
    fitting.push(row);
  }
  const ids = fitting.map((row) => row.id);
  if (ids.length === 0) return [];
  const skills = await skillsOfAgents(query, ids);
  const categories = await taskCategoriesOfAgents(query, ids);
  const deployments = await deploymentsOfAgents(query, ids);
  const cards = await cardsOf(query, ids);
  return fitting.map((row, i) => {
    const agent = toAgent(row);
    // Their endpoints are for those who may change the agent; a record without any leaves what is there as it is.
    const shown = mayChange(principal, agent) ? deployments[i]! : undefined;
    return agentRecord(agent, skills[i]!, categories[i]!, shown, cards.get(row.id) ?? null);
  });
}

interface CardRow {
  readonly agent: string;
  readonly url: string;
  readonly body: Uint8Array;
  readonly digest: string;
  readonly etag: string | null;
  readonly fetchedAt: string;
}

async function cardsOf(query: Query, agentIds: readonly string[]): Promise<Map<string, object>> {
  const rows = await query<CardRow>(
    `select c.agent, c.url, c.body, c.digest, c.etag, c.fetched_at as "fetchedAt" from source_card c where c.agent = any($1::uuid[])`,
    [agentIds],
  );
  return new Map(
    rows.map(({ agent, url, body, digest, etag, fetchedAt }) => [
      agent,
      { url, digest, etag, fetchedAt: toDate(fetchedAt).toISOString(), body: Buffer.from(body).toString('base64') },
    ]),
  );
}

const deploymentRecord = (d: Deployment) => ({
  id: d.id,
  endpoint: d.endpoint,
  tls: d.tls,
  generation: d.generation,
  weight: d.weight,
  draining: d.draining,
  timeouts: d.timeouts,
  createdAt: d.createdAt.toISOString(),
});

/** The members in the order in which a person reads them; an export's bytes depend on it. */
const agentRecord = (
  a: Agent,
  skills: readonly Skill[],
  categories: readonly TaskCategory[],
  deployments: readonly Deployment[] | undefined,
  card: object | null,
) => ({
  kind: 'agent',
  id: a.id,
  handle: a.handle,
  name: a.name,
  description: a.description,
  version: a.version,
  type: a.type,
  executionType: a.executionType,
  status: a.status,
  visibility: a.visibility,
  owner: a.owner,
  provider: a.provider === null ? null : { id: a.provider.id, name: a.provider.name, url: a.provider.url },
  url: a.url,
  authenticationType: a.authenticationType,
  inputModes: a.inputModes,
  outputModes: a.outputModes,
  capabilities: a.capabilities,
  interfaces: a.interfaces,
  extensions: a.extensions,
  documentationUrl: a.documentationUrl,
  iconUrl: a.iconUrl,
  streaming: a.streaming,
  pushNotifications: a.pushNotifications,
  stateTransitionHistory: a.stateTransitionHistory,
  retrySafe: a.retrySafe,
  flyteName: a.flyteName,
  isSync: a.isSync,
  taskCategories: categories.map(({ name, version }) => ({ name, version })),
  ...(deployments === undefined ? {} : { deployments: deployments.map(deploymentRecord) }),
  skills: skills.map(({ agentId: _, createdAt, updatedAt, ...skill }) => ({
    ...skill,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  })),
  card,
  createdAt: a.createdAt.toISOString(),
  updatedAt: a.updatedAt.toISOString(),
});
