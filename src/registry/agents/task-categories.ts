import type { Principal } from '../../auth/principal.ts';
import type { Transaction } from '../../database/database.ts';
import { invalid, RollcallError } from '../../errors.ts';
import type { TaskCategory } from '../model.ts';
import { isVisible, type Ownable } from '../visibility.ts';
import type { AgentRow } from './change.ts';

export const showCategory = (c: TaskCategory): string => `${c.name} v${c.version}`;

/**
 * Sets the task categories of an agent, all at once. Each (name, version) belongs to one agent: Flyte routes by it.
 *
 * @throws RollcallError ALREADY_EXISTS naming the agent that has one of them, where the caller may see it; INVALID_INPUT when the agent has no
 *   `flyteName`, by which Flyte knows agents.
 */
export async function replaceTaskCategories(
  tx: Transaction,
  principal: Principal,
  agent: AgentRow,
  categories: readonly TaskCategory[],
): Promise<void> {
  if (categories.length > 0 && agent.flyteName == null) {
    throw invalid('input.flyteName', 'an agent with task categories needs a Flyte name; set flyteName first');
  }
  const names = categories.map((c) => c.name);
  const versions = categories.map((c) => c.version);
  const [taken] = await tx.query<Ownable & { name: string; version: number; agent: string; handle: string }>(
    `select c.name, c.version, c.agent, a.handle, a.owner, a.visibility from task_category c
       join unnest($1::text[], $2::int[]) as w(name, version) on w.name = c.name and w.version = c.version
       join agent a on a.id = c.agent
     where c.agent <> $3 limit 1`,
    [names, versions, agent.id],
  );
  if (taken !== undefined) {
    const seen = isVisible(principal, taken);
    throw new RollcallError(
      'ALREADY_EXISTS',
      `input.taskCategories: ${showCategory(taken)} belongs to ${seen ? `the agent ${taken.handle}` : 'an agent that you may not see'}; each category version has one agent`,
      {
        field: 'input.taskCategories',
        details: seen ? { id: taken.agent } : {},
      },
    );
  }
  await tx.query('delete from task_category where agent = $1', [agent.id]);
  await tx.query(
    `insert into task_category (name, version, agent) select w.name, w.version, $3::uuid from unnest($1::text[], $2::int[]) as w(name, version)`,
    [names, versions, agent.id],
  );
}
