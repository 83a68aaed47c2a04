import type { Query } from '../../database/drivers.ts';
import { acceptPart, type NewTask, pushPart } from './accept.ts';
import { type Append, appendPart, groupAppends } from './append.ts';
import type { Placeholder } from './given.ts';

/** A task that begins, or entries for one that is there. */
export type LogWrite =
  | { readonly accept: NewTask; readonly append?: never }
  | { readonly append: Append; readonly accept?: never };

/** How a write ended: whether the task was new, or the sequence before the first entry; undefined when it was refused. */
export type LogWritten = boolean | number | undefined;

export interface LogOptions {
  readonly leaseMs: number;
  /** Called when one of the tasks has webhooks. */
  readonly onPush: () => void;
}

/** Subqueries of a statement, with the values that they name. */
export interface StatementPart {
  /** Equal where the text is. */
  readonly key: string;
  readonly sql: ($: Placeholder) => string;
  readonly values: readonly unknown[];
  /** Selects id, base and push of what was written. */
  readonly answer?: string;
}

const texts = new Map<string, string>();

/** One statement of several parts, each with its values behind those of the one before. Few combinations are possible. */
function textOf(parts: readonly StatementPart[], key: string): string {
  const known = texts.get(key);
  if (known !== undefined) return known;
  let before = 0;
  const subqueries = parts.map(({ sql, values }) => {
    const from = before;
    before += values.length;
    return sql((n) => `$${from + n}`);
  });
  const answers = parts.flatMap(({ answer }) => answer ?? []);
  const text = `with ${subqueries.join(', ')} ${answers.join(' union all ')}`;
  texts.set(key, text);
  return text;
}

/**
 * Writes tasks that begin and entries of others in one statement, which is one commit. Answers for each write how it ended.
 *
 * @param again the first try may have been committed before the connection broke
 */
export async function writeLog(
  query: Query,
  { leaseMs, onPush }: LogOptions,
  writes: readonly LogWrite[],
  again = false,
): Promise<LogWritten[]> {
  const tasks = writes.flatMap(({ accept }) => accept ?? []);
  const pushes = tasks.flatMap(({ push }) => push ?? []);
  const groups = groupAppends(writes.flatMap(({ append }) => append ?? []));
  const parts = [
    ...(tasks.length > 0 ? [acceptPart(tasks)] : []),
    ...(pushes.length > 0 ? [pushPart(pushes)] : []),
    ...(groups.size > 0 ? [appendPart(groups, leaseMs, again)] : []),
  ];
  const key = `task-${parts.map((part) => part.key).join('-')}`;
  const values = parts.flatMap((part) => part.values);
  const rows = await query<{ id: string; base: number | null; push: boolean }>(textOf(parts, key), values, key);
  if (rows.some((row) => row.push)) onPush();
  const bases = new Map(rows.map((row) => [row.id, row.base === null ? null : Number(row.base)]));
  return writes.map(({ accept, append }) => {
    if (accept !== undefined) return bases.has(accept.id);
    const base = bases.get(append.taskId);
    if (base == null || !groups.get(append.taskId)?.includes(append)) return undefined;
    bases.set(append.taskId, base + append.entries.length);
    return base;
  });
}

/** As {@link writeLog}, for entries of one task; within a transaction perhaps. */
export async function appendEntries(query: Query, options: LogOptions, append: Append): Promise<number | undefined> {
  const [base] = await writeLog(query, options, [{ append }]);
  return typeof base === 'number' ? base : undefined;
}
