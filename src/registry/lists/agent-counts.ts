import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { Values } from '../../database/values.ts';
import { toTsQuery } from '../search-index.ts';
import { requireScope } from '../visibility.ts';
import { agentConditions } from './agent-filter.ts';
import { type AgentListRequest, MOST_CANDIDATES } from './agent-list.ts';

/** Things are counted up to this number: further, it takes long and says little. */
export const MOST_COUNTED = MOST_CANDIDATES;

/** A number of things, counted up to {@link MOST_COUNTED}. */
export interface Count {
  readonly value: number;
  /** False when there are more than were counted: `value` is then a lower bound. */
  readonly exact: boolean;
}

/** What facets there are: the field, and the values that one agent has in it. */
const FACETS = {
  skillKey: 'unnest(a.skill_keys)',
  tag: 'unnest(a.skill_tags)',
  capability: 'unnest(a.capabilities)',
  mode: 'unnest(a.modes)',
  provider: 'a.provider::text',
  status: 'a.status',
  executionType: 'a.execution_type',
  type: 'a.type',
} as const;

export type FacetField = keyof typeof FACETS;
export const FACET_FIELDS = Object.keys(FACETS) as FacetField[];

/** How many agents have one value. */
export interface FacetValue {
  readonly value: string;
  readonly count: Count;
}

/** Values per facet, the most frequent first. */
const MOST_VALUES = 50;

/** The agents that a request selects, without order and page; null when the search text has no word in it. */
function selection(principal: Principal, request: AgentListRequest, values: Values): string | null {
  const conditions = agentConditions(principal, request.filter ?? {}, values);
  const text = request.search ?? '';
  if (text.trim() !== '') {
    const words = toTsQuery(text);
    if (words === null) return null;
    conditions.push(`a.search @@ to_tsquery('simple', ${values.add(words)})`);
  }
  return conditions.join(' and ');
}

/** How many agents the request selects. */
export async function countAgents(query: Query, principal: Principal, request: AgentListRequest): Promise<Count> {
  requireScope(principal, 'registry:read');
  const values = new Values();
  const where = selection(principal, request, values);
  if (where === null) return { value: 0, exact: true };
  const rows = await query<{ n: number }>(
    `select count(*)::int as n from (select 1 from agent a where ${where} limit ${MOST_CANDIDATES + 1}) x`,
    values.list,
  );
  return capped(rows[0]!.n);
}

/** What was counted, up to one more than {@link MOST_COUNTED}. */
export const capped = (n: number): Count =>
  n > MOST_COUNTED ? { value: MOST_COUNTED, exact: false } : { value: n, exact: true };

/**
 * The values of these facets among the agents that the request selects. Past {@link MOST_CANDIDATES} agents, counts
 * are those of the first ones, and marked as lower bounds.
 */
export async function facetsOf(
  query: Query,
  principal: Principal,
  request: AgentListRequest,
  fields: readonly FacetField[],
): Promise<Map<FacetField, FacetValue[]>> {
  requireScope(principal, 'registry:read');
  const answer = new Map<FacetField, FacetValue[]>(fields.map((field) => [field, []]));
  const values = new Values();
  const where = selection(principal, request, values);
  if (where === null || fields.length === 0) return answer;
  const rows = await query<{ field: FacetField; value: string; n: number; total: number }>(
    `with a as materialized (select * from (select a.skill_keys, a.skill_tags, a.capabilities, a.modes, a.provider, a.status, a.execution_type, a.type from agent a where ${where} limit ${MOST_CANDIDATES + 1}) x),
     total as (select count(*)::int as n from a)
     ${fields.map((field) => `(select '${field}' as field, v.value, count(*)::int as n, total.n as total from total, a, lateral (select ${FACETS[field]} as value) v where v.value is not null group by v.value, total.n order by count(*) desc, v.value collate "C" limit ${MOST_VALUES})`).join(' union all ')}`,
    values.list,
  );
  for (const row of rows) {
    answer.get(row.field)?.push({
      value: row.value,
      count: { value: Math.min(row.n, MOST_CANDIDATES), exact: row.total <= MOST_CANDIDATES },
    });
  }
  return answer;
}
