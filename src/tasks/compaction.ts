import type { Database } from '../database/database.ts';
import type { Query } from '../database/drivers.ts';
import type { TaskFold } from './fold.ts';
import type { Entry, TaskRow } from './model.ts';
import { foldOf } from './reads.ts';
import { payloadOf, TASK_COLUMNS, toTaskRow } from './rows.ts';

/** Tasks whose logs are folded in one transaction: their whole contents are in memory, and their rows are locked. */
const BATCH = 20;

const DUE = `select ${TASK_COLUMNS} from task t
  where t.finished_at < now() - $1::bigint * interval '1 millisecond' and t.compacted_at is null
  order by t.finished_at limit $2 for update of t skip locked`;

const FOLD = `with x as (
  select * from unnest($1::uuid[], $2::bigint[], $3::json[]) as x(id, last, payload)
), folded as (
  update task_event e set kind = 'snapshot', payload = x.payload from x where e.task = x.id and e.sequence = x.last
), gone as (
  delete from task_event e using x where e.task = x.id and e.sequence < x.last
)
update task t set compacted_at = now() from x where t.id = x.id`;

const entryOf = (fold: TaskFold): Entry => ({
  kind: 'snapshot',
  task: fold.snapshot(),
  resultKind: fold.resultKind,
});

/**
 * Folds the logs of tasks that ended more than `retentionMs` ago into one entry each, which has the place of the last one
 * and holds history and artifacts (DESIGN §3.6). Several replicas may do so at once: each takes other tasks. A reader sees
 * the log from before or from after, and what it reads of either makes the same task.
 *
 * @returns how many tasks were folded
 */
export async function compactLogs(database: Database, retentionMs: number, signal: AbortSignal): Promise<number> {
  let folded = 0;
  for (let taken = BATCH; taken === BATCH && !signal.aborted; folded += taken) {
    taken = await database.transaction(({ query }) => compactSome(query, retentionMs));
  }
  return folded;
}

async function compactSome(query: Query, retentionMs: number): Promise<number> {
  const rows = (await query<Record<string, unknown>>(DUE, [retentionMs, BATCH])).map(toTaskRow);
  if (rows.length === 0) return 0;
  const payloads: string[] = [];
  for (const row of rows) payloads.push(payloadOf(entryOf(await foldOf(query, row))));
  await query(FOLD, [rows.map((row: TaskRow) => row.id), rows.map((row) => row.lastSequence), payloads]);
  return rows.length;
}
