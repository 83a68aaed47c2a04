import type { Query } from '../../database/drivers.ts';
import type { TaskCategory } from '../model.ts';
import type { AgentRecord } from './records.ts';

/** Which agent holds what records of a run ask for; undefined where nobody does. */
export interface Occupied {
  flyteName(name: string): string | undefined;
  taskCategory(category: TaskCategory): string | undefined;
  skill(id: string): string | undefined;
  deployment(id: string): string | undefined;
}

const categoryKey = ({ name, version }: TaskCategory): string => `${version} ${name}`;

/** Looks up, in one statement a kind, what live agents hold; skills also of deleted ones, whose ids stay taken. */
export async function occupied(query: Query, records: readonly AgentRecord[]): Promise<Occupied> {
  const flyteNames = records.flatMap((r) => r.flyteName ?? []);
  const categories = records.flatMap((r) => r.taskCategories);
  const skillIds = records.flatMap((r) => r.skills.flatMap((s) => s.id ?? []));
  const deploymentIds = records.flatMap((r) => (r.deployments ?? []).flatMap((d) => d.id ?? []));
  const holders = async (needed: readonly unknown[], sql: string, values: unknown[]): Promise<Map<string, string>> => {
    if (needed.length === 0) return new Map();
    const rows = await query<{ key: string; agent: string }>(sql, values);
    return new Map(rows.map(({ key, agent }) => [key, agent]));
  };
  const byFlyteName = await holders(
    flyteNames,
    'select a.flyte_name as key, a.id as agent from agent a where a.flyte_name = any($1::text[]) and a.deleted_at is null',
    [flyteNames],
  );
  const byCategory = await holders(
    categories,
    `select c.version || ' ' || c.name as key, c.agent from task_category c
     join unnest($1::text[], $2::int[]) as w(name, version) on w.name = c.name and w.version = c.version`,
    [categories.map((c) => c.name), categories.map((c) => c.version)],
  );
  const bySkill = await holders(skillIds, 'select s.id as key, s.agent from skill s where s.id = any($1::uuid[])', [
    skillIds,
  ]);
  const byDeployment = await holders(
    deploymentIds,
    'select d.id as key, d.agent from flyte_deployment d where d.id = any($1::uuid[])',
    [deploymentIds],
  );
  return {
    flyteName: (name) => byFlyteName.get(name),
    taskCategory: (category) => byCategory.get(categoryKey(category)),
    skill: (id) => bySkill.get(id),
    deployment: (id) => byDeployment.get(id),
  };
}
