import type { Principal } from '../auth/principal.ts';
import type { Transaction } from '../database/database.ts';
import type { Query } from '../database/drivers.ts';
import { SkillEntity } from '../database/entities/index.ts';
import { isUuid } from '../database/ids.ts';
import { Values } from '../database/values.ts';
import { invalid, RollcallError } from '../errors.ts';
import { changeAgent } from './agents/change.ts';
import { conflictsAs } from './agents/conflicts.ts';
import { createSkills } from './agents/write.ts';
import type { RegistryContext } from './context.ts';
import { check, storable } from './input/check.ts';
import { LIMITS } from './input/limits.ts';
import { type SkillInput, type SkillPatch, skillPatchSchema, skillSchema } from './input/schemas.ts';
import { decodeCursor, encodeCursor, type Page, pageSize, TEXT_KEY, toPage, UUID_KEY } from './lists/cursor.ts';
import type { FieldChange, Skill } from './model.ts';
import { SKILL_COLUMNS, toSkill } from './rows.ts';
import { requireScope, visibleSql } from './visibility.ts';

const notFound = (id: string): RollcallError =>
  new RollcallError('NOT_FOUND', `There is no skill ${JSON.stringify(id)} that you may see.`);

/** Which skills: those of agents that the caller may see, and all of these conditions. */
export interface SkillFilter {
  readonly agentId?: string | null;
  readonly key?: string | null;
  readonly tag?: string | null;
}

type Row = Record<string, unknown> & { id: string; name: string };

/** A page of skills by name. @throws RollcallError INVALID_INPUT, UNAUTHENTICATED, FORBIDDEN. */
export async function listSkills(
  query: Query,
  principal: Principal,
  request: { readonly filter?: SkillFilter | null; readonly first?: number | null; readonly after?: string | null },
): Promise<Page<Skill>> {
  requireScope(principal, 'registry:read');
  const size = pageSize(request.first);
  const values = new Values();
  const conditions = ['a.deleted_at is null', visibleSql(principal, 'a', values)];
  const { agentId, key, tag } = request.filter ?? {};
  if (agentId != null) {
    if (!isUuid(agentId)) throw invalid('filter.agentId', 'must be a UUID');
    conditions.push(`s.agent = ${values.add(agentId)}::uuid`);
  }
  if (key != null) conditions.push(`s.key = ${values.add(storable('filter.key', key))}`);
  if (tag != null) conditions.push(`s.tags @> array[${values.add(storable('filter.tag', tag))}]::text[]`);
  if (request.after != null) {
    const [name, id] = decodeCursor(request.after, 'skill', [TEXT_KEY, UUID_KEY]);
    conditions.push(`(s.name, s.id) > (${values.add(name)}, ${values.add(id)}::uuid)`);
  }
  const rows = await query<Row>(
    `select ${SKILL_COLUMNS} from skill s join agent a on a.id = s.agent where ${conditions.join(' and ')} order by s.name, s.id limit ${size + 1}`,
    values.list,
  );
  return toPage(rows, size, toSkill, (row) => encodeCursor('skill', [row.name, row.id]));
}

/** The skills of these ids whose agents the caller may see; undefined for the rest. */
export async function skillsById(
  query: Query,
  principal: Principal,
  ids: readonly string[],
): Promise<(Skill | undefined)[]> {
  requireScope(principal, 'registry:read');
  return readSkills(query, principal, ids);
}

async function readSkills(query: Query, principal: Principal, ids: readonly string[]): Promise<(Skill | undefined)[]> {
  const values = new Values();
  const wanted = values.add(ids.filter(isUuid));
  const rows = await query<Row>(
    `select ${SKILL_COLUMNS} from skill s join agent a on a.id = s.agent where s.id = any(${wanted}::uuid[]) and a.deleted_at is null and ${visibleSql(principal, 'a', values)}`,
    values.list,
  );
  const found = new Map(rows.map((row) => [row.id, toSkill(row)]));
  return ids.map((id) => found.get(id.toLowerCase()));
}

/**
 * A skill for who changes it, who need not hold the scope for reading.
 *
 * @throws RollcallError NOT_FOUND, UNAUTHENTICATED, FORBIDDEN (scope registry:write).
 */
async function skillToChange({ database }: RegistryContext, principal: Principal, skillId: string): Promise<Skill> {
  requireScope(principal, 'registry:write');
  const [skill] = await readSkills(database.query, principal, [skillId]);
  if (skill === undefined) throw notFound(skillId);
  return skill;
}

async function rowIn(
  tx: Transaction,
  agentId: string,
  skillId: string,
): Promise<InstanceType<typeof SkillEntity.class>> {
  const row = await tx.em.findOne(SkillEntity, { id: skillId, agent: agentId } as never);
  if (row === null) throw notFound(skillId);
  return row;
}

/**
 * Adds a skill at the end of an agent's list.
 *
 * @returns the new skill.
 * @throws RollcallError INVALID_INPUT, ALREADY_EXISTS for a key the agent has, and what changing an agent throws.
 */
export async function addSkill(
  context: RegistryContext,
  principal: Principal,
  agentId: string,
  input: SkillInput,
  revision?: number,
): Promise<Skill> {
  const skill = check(skillSchema, input);
  let id = '';
  await conflictsAs(skill, () =>
    changeAgent(context, principal, { agentId, revision, action: 'skillAdded' }, async (agent, tx) => {
      const [last] = await tx.query<{ n: number; p: number }>(
        'select count(*)::int as n, coalesce(max(position), -1)::int as p from skill where agent = $1',
        [agentId],
      );
      if (last!.n >= LIMITS.skills)
        throw invalid('input', `the agent ${agent.handle} has ${LIMITS.skills} skills already, the most there may be`);
      createSkills(tx, agentId, [skill], last!.p + 1);
      await tx.em.flush();
      id = (
        await tx.query<{ id: string }>('select id from skill where agent = $1 and key = $2', [agentId, skill.key])
      )[0]!.id;
      return [{ field: `skills.${skill.key}`, before: null, after: skill }];
    }),
  );
  return skillToChange(context, principal, id);
}

/** Changes a skill: what is left out stays. Answers it as it is then. @throws as {@link addSkill}, and NOT_FOUND. */
export async function updateSkill(
  context: RegistryContext,
  principal: Principal,
  skillId: string,
  patch: SkillPatch,
  revision?: number,
): Promise<Skill> {
  const fields = check(skillPatchSchema, patch);
  const { agentId } = await skillToChange(context, principal, skillId);
  await conflictsAs(fields, () =>
    changeAgent(context, principal, { agentId, revision, action: 'skillUpdated' }, async (_agent, tx) => {
      const skill = (await rowIn(tx, agentId, skillId)) as unknown as Record<string, unknown>;
      const key = skill['key'];
      const changes: FieldChange[] = [];
      for (const [field, after] of Object.entries(fields)) {
        const before = skill[field];
        if (after === undefined || JSON.stringify(before) === JSON.stringify(after)) continue;
        skill[field] = after;
        changes.push({ field: `skills.${key}.${field}`, before, after });
      }
      if (changes.length > 0) skill['updatedAt'] = new Date();
      return changes;
    }),
  );
  return skillToChange(context, principal, skillId);
}

/** Removes a skill, and answers it as it was. @throws RollcallError NOT_FOUND and what changing an agent throws. */
export async function removeSkill(
  context: RegistryContext,
  principal: Principal,
  skillId: string,
  revision?: number,
): Promise<Skill> {
  const removed = await skillToChange(context, principal, skillId);
  const { agentId } = removed;
  await changeAgent(context, principal, { agentId, revision, action: 'skillRemoved' }, async (_agent, tx) => {
    const skill = await rowIn(tx, agentId, skillId);
    tx.em.remove(skill);
    return [{ field: `skills.${skill.key}`, before: { key: skill.key, name: skill.name }, after: null }];
  });
  return removed;
}

/**
 * Makes an agent's skills be exactly these, matched by key: a refreshed card says what there is.
 *
 * @param ids by key, for skills that are new here; the others, and those not in it, have ids of this registry.
 */
export async function replaceSkills(
  tx: Transaction,
  agentId: string,
  wanted: readonly SkillInput[],
  ids: ReadonlyMap<string, string> = new Map(),
): Promise<FieldChange[]> {
  const skills = wanted.map((skill, i) => check(skillSchema, skill, `skills[${i}]`));
  const rows = await tx.em.find(SkillEntity, { agent: agentId } as never);
  const present = new Map(rows.map((row) => [row.key, row]));
  const changes: FieldChange[] = [];
  const now = new Date();
  skills.forEach((skill, position) => {
    const row = present.get(skill.key);
    present.delete(skill.key);
    if (row === undefined) {
      createSkills(tx, agentId, [skill], position, ids);
      changes.push({ field: `skills.${skill.key}`, before: null, after: skill });
      return;
    }
    const before = {
      name: row.name,
      description: row.description,
      tags: row.tags,
      examples: row.examples,
      inputModes: row.inputModes,
      outputModes: row.outputModes,
    };
    const { key, ...after } = skill;
    row.position = position;
    if (Object.entries(after).every(([f, v]) => JSON.stringify(v) === JSON.stringify(before[f as keyof typeof before])))
      return;
    Object.assign(row, after, { updatedAt: now });
    changes.push({ field: `skills.${key}`, before, after });
  });
  for (const row of present.values()) {
    tx.em.remove(row);
    changes.push({ field: `skills.${row.key}`, before: { key: row.key, name: row.name }, after: null });
  }
  return changes;
}
