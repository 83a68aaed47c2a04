import { LockMode } from '@mikro-orm/core';
import { AgentEntity, SkillEntity, SourceCardEntity } from '../../database/entities/index.ts';
import { newId } from '../../database/ids.ts';
import { type AgentRow, recordChange } from '../agents/change.ts';
import { createDeployments } from '../flyte/deployments.ts';
import type { Loading, Placed } from './load.ts';
import { resolveProviders } from './load-providers.ts';
import { type Occupied, occupied } from './occupied.ts';
import { type AgentRecord, columnsOf } from './records.ts';
import { presentOf, updateLoaded } from './update-loaded.ts';

/** Loads agents: none of the run names another's id, handle, Flyte name, task category, skill or deployment id. */
export async function loadAgents(loading: Loading, placed: readonly Placed<AgentRecord>[]): Promise<void> {
  if (placed.length === 0) return;
  const { tx, principal, onConflict, counts, problems } = loading;
  const records = placed.map((p) => p.record);
  const rows = (await tx.em.find(
    AgentEntity,
    {
      $or: [
        { id: { $in: records.flatMap((r) => r.id ?? []) } },
        { handle: { $in: records.map((r) => r.handle) }, deletedAt: null },
      ],
    },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  )) as AgentRow[];
  const byId = new Map(rows.map((row) => [row.id, row]));
  const byHandle = new Map(rows.filter((row) => row.deletedAt == null).map((row) => [row.handle, row]));
  const taken = await occupied(tx.query, records);

  const fresh: Placed<AgentRecord>[] = [];
  const present: { readonly placed: Placed<AgentRecord>; readonly row: AgentRow }[] = [];
  for (const one of placed) {
    const { index, record } = one;
    const sameId = record.id === undefined ? undefined : byId.get(record.id);
    const sameHandle = byHandle.get(record.handle);
    const live = sameId?.deletedAt == null ? sameId : undefined;
    // A deleted agent of this id comes back, unless its handle has gone to another meanwhile.
    const target = live ?? sameHandle ?? sameId;
    const conflict = conflictOf(record, target, live, sameHandle, taken, onConflict);
    if (conflict === undefined) {
      if (target === undefined) fresh.push(one);
      else present.push({ placed: one, row: target });
    } else if (onConflict === 'skip') counts.skipped++;
    else problems.push({ index, ...conflict });
  }
  if (problems.length > 0) return;

  const providers = await providersOf(loading, [...fresh, ...present.map((p) => p.placed)]);
  const have = await presentOf(
    tx.query,
    present.map(({ row }) => row.id),
  );
  for (const [i, { placed: one, row }] of present.entries())
    await updateLoaded(loading, one.record, row, providers.get(one) ?? null, have[i]!);
  counts.created += fresh.length;
  for (const { record } of fresh) if (record.authenticationType !== 'none') loading.needCredentials.push(record.handle);
  if (!loading.dryRun) await createAll(loading, fresh, providers, principal.subject);
}

type Conflict = { readonly field: string; readonly message: string };

function conflictOf(
  record: AgentRecord,
  target: AgentRow | undefined,
  live: AgentRow | undefined,
  sameHandle: AgentRow | undefined,
  taken: Occupied,
  onConflict: Loading['onConflict'],
): Conflict | undefined {
  const there = (field: string, what: string): Conflict => ({ field: `agent.${field}`, message: what });
  if (onConflict !== 'update') {
    if (live !== undefined) return there('id', `the agent ${live.id} is there already (${live.handle})`);
    if (sameHandle !== undefined)
      return there('handle', `the agent ${sameHandle.id} has the handle ${record.handle} already`);
  }
  if (live !== undefined && sameHandle !== undefined && live !== sameHandle)
    return there('handle', `the agent ${sameHandle.id} has the handle ${record.handle}`);
  const id = target?.id ?? record.id;
  const flyte = record.flyteName === null ? undefined : taken.flyteName(record.flyteName);
  if (flyte !== undefined && flyte !== id)
    return there('flyteName', `the agent ${flyte} has the Flyte name ${record.flyteName}`);
  if (record.taskCategories.length > 0 && record.flyteName === null)
    return there('flyteName', 'an agent with task categories needs a Flyte name');
  for (const [i, category] of record.taskCategories.entries()) {
    const holder = taken.taskCategory(category);
    if (holder !== undefined && holder !== id)
      return there(`taskCategories[${i}]`, `${category.name} v${category.version} belongs to the agent ${holder}`);
  }
  for (const [i, skill] of record.skills.entries()) {
    const holder = skill.id === undefined ? undefined : taken.skill(skill.id);
    if (holder !== undefined && holder !== id)
      return there(`skills[${i}].id`, `is the id of a skill of the agent ${holder}`);
  }
  for (const [i, deployment] of (record.deployments ?? []).entries()) {
    const holder = deployment.id === undefined ? undefined : taken.deployment(deployment.id);
    if (holder !== undefined && holder !== id)
      return there(`deployments[${i}].id`, `is the id of a deployment of the agent ${holder}`);
  }
  return undefined;
}

async function providersOf(
  loading: Loading,
  all: readonly Placed<AgentRecord>[],
): Promise<Map<Placed<AgentRecord>, string | null>> {
  const withProvider = all.filter(({ record }) => record.provider !== null);
  const ids = await resolveProviders(
    loading,
    withProvider.map(({ record }) => ({
      reference: record.provider!,
      owner: record.owner ?? loading.principal.subject,
    })),
  );
  return new Map(withProvider.map((one, i) => [one, ids[i]!]));
}

async function createAll(
  loading: Loading,
  fresh: readonly Placed<AgentRecord>[],
  providers: ReadonlyMap<Placed<AgentRecord>, string | null>,
  loader: string,
): Promise<void> {
  if (fresh.length === 0) return;
  const { tx, principal, changed } = loading;
  const now = new Date();
  const made = fresh.map((one) => {
    const { record } = one;
    const createdAt = record.createdAt ?? now;
    const row = tx.em.create(AgentEntity, {
      ...columnsOf(record, providers.get(one) ?? null),
      id: record.id ?? newId(),
      owner: record.owner ?? loader,
      createdAt,
      updatedAt: record.updatedAt ?? createdAt,
    } as never) as AgentRow;
    return { record, row, createdAt };
  });
  await tx.em.flush();
  for (const { record, row, createdAt } of made) {
    recordChange(tx, principal, row, 'registered', []);
    changed.push({ row, action: 'registered' });
    record.skills.forEach((skill, position) => {
      tx.em.create(SkillEntity, {
        ...skill,
        id: skill.id ?? newId(),
        agent: row.id,
        position,
        createdAt: skill.createdAt ?? createdAt,
        updatedAt: skill.updatedAt ?? skill.createdAt ?? createdAt,
      } as never);
    });
    const deployments = (record.deployments ?? []).map((d) => ({
      ...d,
      id: d.id ?? newId(),
      createdAt: d.createdAt ?? createdAt,
    }));
    createDeployments(tx, row.id, deployments);
    if (record.card !== null)
      tx.em.create(SourceCardEntity, {
        ...record.card,
        fetchedAt: record.card.fetchedAt ?? now,
        agent: row.id,
      } as never);
  }
  await tx.em.flush();
  // Not through the unit of work: it takes the default -infinity for an invalid date, and writes it back.
  await tx.query('insert into agent_usage (agent) select unnest($1::uuid[])', [made.map(({ row }) => row.id)]);
  const categories = made.flatMap(({ record, row }) => record.taskCategories.map((c) => ({ ...c, agent: row.id })));
  if (categories.length > 0)
    await tx.query(
      'insert into task_category (name, version, agent) select * from unnest($1::text[], $2::int[], $3::uuid[])',
      [categories.map((c) => c.name), categories.map((c) => c.version), categories.map((c) => c.agent)],
    );
}
