import type { Query } from '../../database/drivers.ts';
import { SourceCardEntity } from '../../database/entities/index.ts';
import { sameJson } from '../../protocol/a2a/card/same-json.ts';
import { type AgentRow, recordChange } from '../agents/change.ts';
import { originChanged, reached } from '../agents/credentials.ts';
import { fieldChanges, snapshot } from '../agents/field-changes.ts';
import { skillsOfAgents, taskCategoriesOfAgents } from '../agents/read.ts';
import { replaceTaskCategories, showCategory } from '../agents/task-categories.ts';
import { deploymentsOfAgents } from '../flyte/read-deployments.ts';
import { replaceDeployments } from '../flyte/replace-deployments.ts';
import type { Deployment, FieldChange, Skill, TaskCategory } from '../model.ts';
import { replaceSkills } from '../skills.ts';
import type { Loading } from './load.ts';
import { type AgentRecord, columnsOf } from './records.ts';

interface CardKey {
  readonly agent: string;
  readonly url: string;
  readonly digest: string;
}

/** What of an agent stands in other tables. */
export interface Present {
  readonly skills: readonly Skill[];
  readonly categories: readonly TaskCategory[];
  readonly deployments: readonly Deployment[];
  readonly card: CardKey | undefined;
}

/** What these agents have, in their order: one statement a table, as most records of a repeated load change nothing. */
export async function presentOf(query: Query, agentIds: readonly string[]): Promise<Present[]> {
  if (agentIds.length === 0) return [];
  const skills = await skillsOfAgents(query, agentIds);
  const categories = await taskCategoriesOfAgents(query, agentIds);
  const deployments = await deploymentsOfAgents(query, agentIds);
  const cards = await query<CardKey>('select agent, url, digest from source_card where agent = any($1::uuid[])', [
    agentIds,
  ]);
  const byAgent = new Map(cards.map((card) => [card.agent, card]));
  return agentIds.map((id, i) => ({
    skills: skills[i]!,
    categories: categories[i]!,
    deployments: deployments[i]!,
    card: byAgent.get(id),
  }));
}

/**
 * Makes an agent that is there be as a record says, or brings back a deleted one. Its id, time of registration and
 * revision stay this registry's; its credentials too, unless type or origin changed. A record that says nothing new
 * writes nothing.
 */
export async function updateLoaded(
  loading: Loading,
  record: AgentRecord,
  row: AgentRow,
  provider: string | null,
  present: Present,
): Promise<void> {
  const { tx, principal, counts } = loading;
  const restored = row.deletedAt != null;
  const before = snapshot(row);
  const owner = row.owner;
  // Compared as JSON: the database keeps the members of an object in an order of its own.
  for (const [field, value] of Object.entries(columnsOf(record, provider)))
    if (!sameJson(before[field as keyof typeof before], value))
      (row as unknown as Record<string, unknown>)[field] = value;
  if (record.owner !== undefined) row.owner = record.owner;
  row.deletedAt = null;
  const secret = dropCredentials(row, before);
  const changes: FieldChange[] = [
    ...fieldChanges(before, snapshot(row)),
    ...secret,
    ...(row.owner === owner ? [] : [{ field: 'owner', before: owner, after: row.owner }]),
    ...(restored ? [{ field: 'deletedAt', before: 'deleted', after: null }] : []),
    ...(await changedSkills(loading, record, row.id, present.skills)),
    ...(await changedCategories(loading, record, row, present.categories)),
    ...(await changedDeployments(loading, record, row.id, present.deployments)),
    ...(await changedCard(loading, record, row.id, present.card)),
  ];
  if (record.authenticationType !== 'none' && row.authenticationConfig == null)
    loading.needCredentials.push(record.handle);
  if (changes.length === 0) {
    counts.unchanged++;
    return;
  }
  row.updatedAt = new Date();
  await tx.em.flush();
  const action = restored ? 'registered' : 'updated';
  recordChange(tx, principal, row, action, changes);
  await tx.em.flush();
  loading.changed.push({ row, action });
  if (restored) counts.created++;
  else counts.updated++;
}

function dropCredentials(row: AgentRow, before: ReturnType<typeof snapshot>): FieldChange[] {
  if (row.authenticationConfig == null) return [];
  const keeps = row.authenticationType === before.authenticationType && !originChanged(reached(before), reached(row));
  if (keeps) return [];
  row.authenticationConfig = null;
  return [{ field: 'authenticationConfig', before: '(set)', after: '(removed)' }];
}

async function changedSkills(
  { tx }: Loading,
  record: AgentRecord,
  agentId: string,
  present: readonly Skill[],
): Promise<FieldChange[]> {
  const skills = record.skills.map(({ id: _id, createdAt: _created, updatedAt: _updated, ...skill }) => skill);
  const before = present.map(({ id: _id, agentId: _a, createdAt: _c, updatedAt: _u, ...skill }) => skill);
  if (sameJson(before, skills)) return [];
  const ids = new Map(record.skills.flatMap((s) => (s.id === undefined ? [] : [[s.key, s.id] as const])));
  const changes = await replaceSkills(tx, agentId, skills, ids);
  // The order alone differs.
  return changes.length > 0
    ? changes
    : [{ field: 'skills', before: before.map((s) => s.key), after: skills.map((s) => s.key) }];
}

async function changedCategories(
  { tx, principal }: Loading,
  record: AgentRecord,
  row: AgentRow,
  present: readonly TaskCategory[],
): Promise<FieldChange[]> {
  const before = present.map(showCategory).sort();
  const after = record.taskCategories.map(showCategory).sort();
  if (before.join() === after.join()) return [];
  await replaceTaskCategories(tx, principal, row, record.taskCategories);
  return [{ field: 'taskCategories', before, after }];
}

async function changedDeployments(
  { tx }: Loading,
  { deployments }: AgentRecord,
  agentId: string,
  present: readonly Deployment[],
): Promise<FieldChange[]> {
  if (deployments === undefined || (deployments.length === 0 && present.length === 0)) return [];
  return replaceDeployments(tx, agentId, deployments);
}

async function changedCard(
  { tx }: Loading,
  { card }: AgentRecord,
  agentId: string,
  present: CardKey | undefined,
): Promise<FieldChange[]> {
  const before = present?.digest ?? null;
  const after = card?.digest ?? null;
  if (before === after && present?.url === card?.url) return [];
  if (card === null) await tx.query('delete from source_card where agent = $1', [agentId]);
  else
    await tx.em.upsert(SourceCardEntity, { ...card, fetchedAt: card.fetchedAt ?? new Date(), agent: agentId } as never);
  return [{ field: 'sourceCard', before, after }];
}
