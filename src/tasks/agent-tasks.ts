import type { Principal } from '../auth/principal.ts';
import type { Query } from '../database/drivers.ts';
import { isUuid } from '../database/ids.ts';
import { Values } from '../database/values.ts';
import { type Count, capped, MOST_COUNTED } from '../registry/lists/agent-counts.ts';
import { type Page, pageSize, toPage } from '../registry/lists/cursor.ts';
import { filterSql, type TaskFilter } from './filter.ts';
import { beyond, cursorOf, type TaskListRequest } from './list.ts';
import type { TaskRow } from './model.ts';
import { TASK_COLUMNS, toTaskRow } from './rows.ts';

type Row = Record<string, unknown>;

/** An agent that is asked for twice is read once. */
const distinct = (ids: readonly string[]): string[] => [...new Set(ids.filter(isUuid).map((id) => id.toLowerCase()))];

const every = (conditions: readonly string[]): string => ['true', ...conditions].join(' and ');

/** The first page, or that after a cursor, of the caller's tasks with each of these agents. One statement. */
export async function tasksOfAgents(
  query: Query,
  principal: Principal,
  agentIds: readonly string[],
  request: TaskListRequest,
): Promise<Page<TaskRow>[]> {
  const size = pageSize(request.first);
  const values = new Values();
  const agents = values.add(distinct(agentIds));
  const all = filterSql(principal, request, values);
  if (all === undefined) return agentIds.map(() => ({ items: [], hasNextPage: false }));
  all.push(...beyond(request, values));
  const rows = await query<Row>(
    `select x.* from unnest(${agents}::uuid[]) as w(agent) cross join lateral (
       select ${TASK_COLUMNS} from task t where t.agent = w.agent and ${every(all)}
       order by t.status_at desc, t.id desc limit ${size + 1}
     ) x order by x."statusAt" desc, x.id desc`,
    values.list,
  );
  const pages = new Map<string, Page<TaskRow>>();
  for (const [agentId, found] of Map.groupBy(rows, (row) => String(row['agentId']))) {
    pages.set(agentId, toPage(found, size, toTaskRow, cursorOf));
  }
  return agentIds.map((id) => pages.get(id.toLowerCase()) ?? { items: [], hasNextPage: false });
}

/** How many tasks {@link tasksOfAgents} would show of each agent on all its pages. One statement. */
export async function taskTotalsOfAgents(
  query: Query,
  principal: Principal,
  agentIds: readonly string[],
  filter: TaskFilter,
): Promise<Count[]> {
  const values = new Values();
  const agents = values.add(distinct(agentIds));
  const all = filterSql(principal, filter, values);
  if (all === undefined) return agentIds.map(() => capped(0));
  const rows = await query<{ agent: string; n: number }>(
    `select w.agent, x.n from unnest(${agents}::uuid[]) as w(agent) cross join lateral (
       select count(*)::int as n from (
         select 1 from task t where t.agent = w.agent and ${every(all)} limit ${MOST_COUNTED + 1}
       ) y
     ) x`,
    values.list,
  );
  const byAgent = new Map(rows.map(({ agent, n }) => [agent, n]));
  return agentIds.map((id) => capped(byAgent.get(id.toLowerCase()) ?? 0));
}

/** How many tasks a list would show on all its pages, counted no further than people read. */
export async function taskTotal(query: Query, principal: Principal, filter: TaskFilter): Promise<Count> {
  const values = new Values();
  const all = filterSql(principal, filter, values);
  if (all === undefined) return capped(0);
  const rows = await query<{ n: number }>(
    `select count(*)::int as n from (select 1 from task t where ${every(all)} limit ${MOST_COUNTED + 1}) x`,
    values.list,
  );
  return capped(rows[0]!.n);
}
