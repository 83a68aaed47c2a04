import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { isUuid } from '../../database/ids.ts';
import { nameOf } from '../../database/statement-names.ts';
import { Values } from '../../database/values.ts';
import { isStorable } from '../input/check.ts';
import { decodeCursor, encodeCursor, type Page, pageSize, toPage, UUID_KEY } from '../lists/cursor.ts';
import type { Agent, AgentChange, AgentUsage, Skill, TaskCategory } from '../model.ts';
import {
  AGENT_COLUMNS,
  AGENT_TABLES,
  CHANGE_COLUMNS,
  SKILL_COLUMNS,
  toAgent,
  toChange,
  toSkill,
  toUsage,
  USAGE_COLUMNS,
} from '../rows.ts';
import { requireScope, visibleSql } from '../visibility.ts';
import { agentNotFound } from './change.ts';

type Row = Record<string, unknown>;

/** The rows of a batch, put back into the order of what was asked for. */
function inOrder<T>(keys: readonly string[], rows: readonly T[], keyOf: (row: T) => string): (T | undefined)[] {
  const found = new Map(rows.map((row) => [keyOf(row), row]));
  return keys.map((key) => found.get(key));
}

function grouped<T>(keys: readonly string[], rows: readonly T[], keyOf: (row: T) => string): T[][] {
  const groups = new Map<string, T[]>(keys.map((key) => [key, []]));
  for (const row of rows) groups.get(keyOf(row))?.push(row);
  return keys.map((key) => groups.get(key) ?? []);
}

/** The live agents of these ids that the caller may see; undefined for the rest. One statement. */
export async function agentsById(
  query: Query,
  principal: Principal,
  ids: readonly string[],
): Promise<(Agent | undefined)[]> {
  requireScope(principal, 'registry:read');
  return readAgents(query, principal, ids);
}

/** As {@link agentsById}, for a caller who need not hold the scope: who has just changed an agent is shown it. */
export async function readAgents(
  query: Query,
  principal: Principal,
  ids: readonly string[],
): Promise<(Agent | undefined)[]> {
  const values = new Values();
  const wanted = values.add(ids.filter(isUuid));
  const text = `select ${AGENT_COLUMNS} from ${AGENT_TABLES} where a.id = any(${wanted}::uuid[]) and a.deleted_at is null and ${visibleSql(principal, 'a', values)}`;
  const rows = await query<Row>(text, values.list, nameOf(text));
  return inOrder(
    ids.map((id) => id.toLowerCase()),
    rows.map(toAgent),
    (agent) => agent.id,
  );
}

/**
 * The agent as whoever changes it sees it, before or after; they need not hold the scope for reading.
 *
 * @throws RollcallError NOT_FOUND.
 */
export async function agentToChange(query: Query, principal: Principal, id: string): Promise<Agent> {
  const [agent] = await readAgents(query, principal, [id]);
  if (agent === undefined) throw agentNotFound(id);
  return agent;
}

/** The live agent of this handle, if the caller may see it. */
export async function agentByHandle(query: Query, principal: Principal, handle: string): Promise<Agent | undefined> {
  requireScope(principal, 'registry:read');
  if (!isStorable(handle)) return undefined;
  const values = new Values();
  const text = `select ${AGENT_COLUMNS} from ${AGENT_TABLES} where a.handle = ${values.add(handle)} and a.deleted_at is null and ${visibleSql(principal, 'a', values)}`;
  const rows = await query<Row>(text, values.list, nameOf(text));
  return rows.map(toAgent)[0];
}

/** The skills of each of these agents, in card order. The caller has seen the agents: visibility was decided there. */
export async function skillsOfAgents(query: Query, agentIds: readonly string[]): Promise<Skill[][]> {
  const text = `select ${SKILL_COLUMNS} from skill s where s.agent = any($1::uuid[]) order by s.agent, s.position, s.id`;
  const rows = await query<Row>(text, [agentIds], nameOf(text));
  return grouped(agentIds, rows.map(toSkill), (skill) => skill.agentId);
}

/** The task categories of each of these agents, by name and version. */
export async function taskCategoriesOfAgents(query: Query, agentIds: readonly string[]): Promise<TaskCategory[][]> {
  const text = `select c.agent, c.name, c.version from task_category c where c.agent = any($1::uuid[]) order by c.name, c.version`;
  const rows = await query<TaskCategory & { agent: string }>(text, [agentIds], nameOf(text));
  return grouped(agentIds, rows, (row) => row.agent);
}

/** The usage of each of these agents. */
export async function usageOfAgents(query: Query, agentIds: readonly string[]): Promise<AgentUsage[]> {
  const text = `select ${USAGE_COLUMNS} from agent_usage u where u.agent = any($1::uuid[])`;
  const rows = await query<Row>(text, [agentIds], nameOf(text));
  return inOrder(agentIds, rows.map(toUsage), (usage) => usage.agentId).map(
    (usage, i) => usage ?? { agentId: agentIds[i]!, calls: 0, failures: 0, lastUsedAt: null },
  );
}

/** The history of an agent that the caller may see, newest first. */
export async function historyOfAgent(
  query: Query,
  agentId: string,
  request: { readonly first?: number | null; readonly after?: string | null },
): Promise<Page<AgentChange>> {
  const size = pageSize(request.first);
  const values = new Values();
  const conditions = [`c.agent = ${values.add(agentId)}::uuid`];
  if (request.after != null) {
    const [id] = decodeCursor(request.after, 'change', [UUID_KEY]);
    conditions.push(`c.id < ${values.add(id)}::uuid`);
  }
  const rows = await query<Row & { id: string }>(
    `select ${CHANGE_COLUMNS} from agent_change c where ${conditions.join(' and ')} order by c.id desc limit ${size + 1}`,
    values.list,
  );
  return toPage(rows, size, toChange, (row) => encodeCursor('change', [row.id]));
}
