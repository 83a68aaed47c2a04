import type { Query } from '../../database/drivers.ts';
import { nameOf } from '../../database/statement-names.ts';

/**
 * Another text whenever an agent with task categories has changed, came or went, whichever server did it: every change
 * raises the revision. It takes time by the number of categories, and not of agents.
 */
export async function flyteStamp(query: Query): Promise<string> {
  const text = `select count(*)::text as n, coalesce(sum(hashtextextended(a.id::text, a.revision)::numeric), 0)::text as h
    from agent a where a.deleted_at is null and a.id in (select agent from task_category)`;
  const [row] = await query<{ n: string; h: string }>(text, [], nameOf(text));
  return `${row?.n} ${row?.h}`;
}
