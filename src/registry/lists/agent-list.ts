import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { nameOf } from '../../database/statement-names.ts';
import { Values } from '../../database/values.ts';
import { invalid } from '../../errors.ts';
import type { Agent } from '../model.ts';
import { AGENT_COLUMNS, toAgent } from '../rows.ts';
import { toTsQuery } from '../search-index.ts';
import { requireScope } from '../visibility.ts';
import { type AgentFilter, agentConditions } from './agent-filter.ts';
import {
  decodeCursor,
  encodeCursor,
  type KeyShape,
  MOMENT_KEY,
  type Page,
  pageSize,
  RANK_KEY,
  TEXT_KEY,
  toPage,
  UUID_KEY,
} from './cursor.ts';

/** What agents may be ordered by. relevance needs a search text. */
export const AGENT_ORDERS = ['id', 'name', 'updatedAt', 'lastUsedAt', 'relevance'] as const;
export type AgentOrderField = (typeof AGENT_ORDERS)[number];
export interface AgentOrder {
  readonly field: AgentOrderField;
  readonly descending: boolean;
}

export interface AgentListRequest {
  readonly filter?: AgentFilter;
  readonly search?: string | null;
  readonly orderBy?: AgentOrder | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

/** Totals and facets are counted up to this. */
export const MOST_CANDIDATES = 10_000;
/** Text search ranks this many matches at most: ranking reads the whole search vector of each. */
const MOST_RANKED = 2_000;

interface Order {
  /** The sorted expression, which with the tie-break is an index of entities/. */
  readonly key: string;
  readonly tie: string;
  readonly cast: string;
  readonly from: string;
  readonly shape: KeyShape;
}

const AGENTS = 'agent a left join provider p on p.id = a.provider';

const ORDERS: Readonly<Record<Exclude<AgentOrderField, 'relevance'>, Order>> = {
  id: { key: 'a.id', tie: 'a.id', cast: 'uuid', from: AGENTS, shape: UUID_KEY },
  name: { key: 'a.name', tie: 'a.id', cast: 'text', from: AGENTS, shape: TEXT_KEY },
  updatedAt: { key: 'a.updated_at', tie: 'a.id', cast: 'timestamptz', from: AGENTS, shape: MOMENT_KEY },
  // Driven from agent_usage, whose index has the order; its rows are as many as agents.
  lastUsedAt: {
    key: 'u.last_used_at',
    tie: 'u.agent',
    cast: 'timestamptz',
    from: `agent_usage u join agent a on a.id = u.agent left join provider p on p.id = a.provider`,
    shape: MOMENT_KEY,
  },
};

type Row = Record<string, unknown> & { id: string; k: string };

/** A page of the agents that the caller may see. @throws RollcallError INVALID_INPUT, UNAUTHENTICATED, FORBIDDEN. */
export async function listAgents(query: Query, principal: Principal, request: AgentListRequest): Promise<Page<Agent>> {
  requireScope(principal, 'registry:read');
  const size = pageSize(request.first);
  const text = request.search ?? '';
  const searching = text.trim() !== '';
  const order = request.orderBy ?? { field: searching ? 'relevance' : 'id', descending: false };
  const words = searching ? toTsQuery(text) : null;
  if (searching && words === null) return { items: [], hasNextPage: false };
  if (order.field === 'relevance') {
    if (words === null) throw invalid('orderBy', 'RELEVANCE needs a search text');
    return byRelevance(query, principal, request, words, size);
  }
  const values = new Values();
  const { key, tie, cast, from, shape } = ORDERS[order.field];
  const conditions = agentConditions(principal, request.filter ?? {}, values);
  if (words !== null) conditions.push(`a.search @@ to_tsquery('simple', ${values.add(words)})`);
  const name = `${order.field}${order.descending ? ' desc' : ''}`;
  const direction = order.descending ? 'desc' : 'asc';
  if (request.after != null) {
    const [k, id] = decodeCursor(request.after, name, [shape, UUID_KEY]);
    const sign = order.descending ? '<' : '>';
    conditions.push(
      order.field === 'id'
        ? `a.id ${sign} ${values.add(id)}::uuid`
        : `(${key}, ${tie}) ${sign} (${values.add(k)}::${cast}, ${values.add(id)}::uuid)`,
    );
  }
  const by = order.field === 'id' ? `a.id ${direction}` : `${key} ${direction}, ${tie} ${direction}`;
  const statement = `select ${AGENT_COLUMNS}, ${key} as k from ${from} where ${conditions.join(' and ')} order by ${by} limit ${size + 1}`;
  // A plan for any value is as good as one for this value only where there is nothing to filter by.
  const plain = words === null && Object.values(request.filter ?? {}).every((value) => value == null);
  const rows = await query<Row>(statement, values.list, plain ? nameOf(statement) : undefined);
  return toPage(rows, size, toAgent, (row) => encodeCursor(name, [String(row.k), row.id]));
}

/** Best matches first, ties by id; the rank is exact within the newest {@link MOST_RANKED} matches. */
async function byRelevance(
  query: Query,
  principal: Principal,
  request: AgentListRequest,
  words: string,
  size: number,
): Promise<Page<Agent>> {
  const values = new Values();
  const conditions = agentConditions(principal, request.filter ?? {}, values);
  const q = `to_tsquery('simple', ${values.add(words)})`;
  const after = request.after == null ? null : decodeCursor(request.after, 'relevance', [RANK_KEY, UUID_KEY]);
  const beyond =
    after === null ? '' : `where (-c.rank, c.id) > (-${values.add(after[0])}::real, ${values.add(after[1])}::uuid)`;
  const rows = await query<Row>(
    `with candidate as materialized (
       select a.id, a.search from agent a where ${conditions.join(' and ')} and a.search @@ ${q} order by a.id desc limit ${MOST_RANKED}
     ), ranked as (select id, ts_rank(search, ${q}) as rank from candidate),
     best as (select c.id, c.rank from ranked c ${beyond} order by c.rank desc, c.id limit ${size + 1})
     select ${AGENT_COLUMNS}, b.rank::text as k from best b join agent a on a.id = b.id left join provider p on p.id = a.provider order by b.rank desc, b.id`,
    values.list,
  );
  return toPage(rows, size, toAgent, (row) => encodeCursor('relevance', [row.k, row.id]));
}
