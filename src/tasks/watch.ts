import type { Principal } from '../auth/principal.ts';
import type { Query } from '../database/drivers.ts';
import { Values } from '../database/values.ts';
import { ChangeBuffer, type TaskChange } from './change-buffer.ts';
import { closable } from './closable.ts';
import { changeFilter, filterSql, momentOf, type TaskFilter } from './filter.ts';
import { TASK_COLUMNS, toTaskRow } from './rows.ts';
import type { Watchers } from './watchers.ts';

/** Tasks that are read at a time by a reader that has fallen behind. */
const PAGE = 200;
/** Sorts before every id. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * The changes of state of the tasks that the caller may see, as they are committed: those of a task in their order. It
 * listens from the call on, not from the first `next()`. It ends with the signals, and never by itself.
 *
 * With `statusTimestampAfter` it begins with the tasks whose state is that old or younger, each as one merged change:
 * so does a reader go on after a broken connection. A slow reader holds nobody up; see {@link ChangeBuffer}.
 */
export function watchTasks(
  query: Query,
  watchers: Watchers,
  principal: Principal,
  filter: TaskFilter,
  ...until: readonly (AbortSignal | undefined)[]
): AsyncGenerator<TaskChange> {
  const wanted = changeFilter(principal, filter);
  const since = momentOf(filter);
  const buffer = new ChangeBuffer();
  return closable(
    (signal) => {
      const off = wanted !== undefined && !signal.aborted ? watchers.add(wanted, buffer) : undefined;
      const end = (): void => {
        off?.();
        buffer.wake();
      };
      signal.addEventListener('abort', end, { once: true });
      return follow(buffer, since, signal, (from) => changesSince(query, principal, filter, from));
    },
    ...until,
  );
}

async function* follow(
  buffer: ChangeBuffer,
  since: Date | undefined,
  signal: AbortSignal,
  read: (since: Date) => AsyncGenerator<TaskChange[]>,
): AsyncGenerator<TaskChange> {
  let missed = since;
  let known = new Map<string, number>();
  while (!signal.aborted) {
    if (missed !== undefined) {
      for await (const page of read(missed)) {
        known = new Map(page.map(({ taskId, sequence }) => [taskId, sequence]));
        // What was read is newer than what waits: told afterwards, it would lead back.
        buffer.forget(known);
        for (const change of page) {
          yield change;
          if (signal.aborted) return;
        }
      }
    }
    const change = buffer.take();
    missed = change === undefined ? buffer.takeMissed() : undefined;
    // Committed before the page was read, and heard of after.
    if (change !== undefined && change.sequence > (known.get(change.taskId) ?? 0)) yield change;
    if (change === undefined && missed === undefined) await buffer.changed();
  }
}

/**
 * Where tasks ended up that changed since: a page at a time, oldest first. What changes from now on is not in it, as it
 * is heard of: so this ends, however busy it is.
 */
async function* changesSince(
  query: Query,
  principal: Principal,
  filter: TaskFilter,
  since: Date,
): AsyncGenerator<TaskChange[]> {
  const values = new Values();
  const all = filterSql(principal, { ...filter, statusTimestampAfter: since }, values);
  if (all === undefined) return;
  all.push(`t.status_at <= ${values.add(new Date().toISOString())}::timestamptz`);
  const [at, id] = [values.list.length + 1, values.list.length + 2];
  const text = `select ${TASK_COLUMNS} from task t where ${all.join(' and ')}
    and (t.status_at, t.id) > ($${at}::timestamptz, $${id}::uuid) order by t.status_at, t.id limit ${PAGE}`;
  for (let after: readonly [string, string] = ['-infinity', FIRST_ID]; ; ) {
    const rows = await query<Record<string, unknown>>(text, [...values.list, ...after]);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = [String(last['statusAt']), String(last['id'])];
    yield rows.map(toTaskRow).map((row) => ({
      taskId: row.id,
      agentId: row.agentId,
      contextId: row.contextId,
      owner: row.owner,
      from: null,
      to: row.state,
      sequence: row.lastSequence,
      at: row.statusAt,
      merged: true,
    }));
    if (rows.length < PAGE) return;
  }
}
