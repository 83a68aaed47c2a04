import type { Principal } from '../auth/principal.ts';
import { SYSTEM } from '../auth/principal.ts';
import type { Query } from '../database/drivers.ts';
import type { Task } from '../protocol/a2a/model.ts';
import { requireScope } from '../registry/visibility.ts';
import { seesTask } from './access.ts';
import { contentsOf, tasksById } from './list.ts';
import type { TaskRow } from './model.ts';

/** A task that somebody wants to see. */
export interface WantedTask {
  readonly id: string;
  readonly principal: Principal;
}

/**
 * What several callers want at the same moment, read once: of a thousand who watch one task, each event costs one
 * statement. Answers in order; undefined where there is none that this caller may see, an error where the caller may see
 * none at all. What is answered to several of them must not be changed.
 */
export async function rowsSeenBy(
  query: Query,
  wanted: readonly WantedTask[],
): Promise<(TaskRow | undefined | Error)[]> {
  const ids = [...new Set(wanted.map(({ id }) => id))];
  const rows = await tasksById(query, SYSTEM, ids);
  const byId = new Map(ids.map((id, i) => [id, rows[i]]));
  return wanted.map(({ id, principal }) => {
    try {
      requireScope(principal, 'tasks:read');
    } catch (error) {
      return error as Error;
    }
    const row = byId.get(id);
    return row !== undefined && seesTask(principal, row) ? row : undefined;
  });
}

/** As {@link rowsSeenBy}, each with its history and artifacts; those that nobody here may see are not read. */
export async function contentsSeenBy(
  query: Query,
  wanted: readonly WantedTask[],
): Promise<(Task | undefined | Error)[]> {
  const seen = await rowsSeenBy(query, wanted);
  const rows = [
    ...new Map(seen.flatMap((row) => (row === undefined || row instanceof Error ? [] : [[row.id, row]]))).values(),
  ];
  const contents = await contentsOf(query, rows);
  const byId = new Map(rows.map((row, i) => [row.id, contents[i]]));
  return seen.map((row) => (row === undefined || row instanceof Error ? row : byId.get(row.id)));
}
