import type { Query } from '../database/drivers.ts';
import { invalid } from '../errors.ts';
import { closable } from './closable.ts';
import type { Feed } from './log/feed.ts';
import type { TaskRow, TaskStreamItem } from './model.ts';
import { foldOf, logAfter, stateAt } from './reads.ts';
import { followLog } from './stream.ts';

/**
 * The stream of a task (DESIGN §3.6). Without a cursor: a snapshot stamped with its sequence, then what follows. With
 * one: what follows it; or, when the log does not reach back that far, a snapshot marked `reset`.
 *
 * @throws RollcallError INVALID_INPUT for a cursor that is ahead of the log.
 */
export async function subscribeTo(
  query: Query,
  feed: Feed,
  row: TaskRow,
  after: number | undefined,
  ...until: readonly (AbortSignal | undefined)[]
): Promise<AsyncGenerator<TaskStreamItem>> {
  const snapshot = (reset: boolean) => closable((signal) => fromSnapshot(query, feed, row, signal, reset), ...until);
  if (after === undefined) return snapshot(false);
  if (!Number.isSafeInteger(after) || after < 0 || after > row.lastSequence) {
    throw invalid('after', `must be a sequence of this task's events, from 0 to ${row.lastSequence}`);
  }
  const [next] = after < row.lastSequence ? await logAfter(query, row.id, after, 1) : [];
  const gone = next?.sequence !== after + 1 || next.entry.kind === 'snapshot';
  if (after < row.lastSequence && gone) return snapshot(true);
  const state = after === row.lastSequence ? row.state : ((await stateAt(query, row.id, after)) ?? 'submitted');
  return closable((signal) => followLog(query, feed, { ids: row, after, state, signal }), ...until);
}

async function* fromSnapshot(
  query: Query,
  feed: Feed,
  row: TaskRow,
  signal: AbortSignal,
  reset: boolean,
): AsyncGenerator<TaskStreamItem> {
  const fold = await foldOf(query, row);
  yield {
    sequence: fold.sequence,
    kind: 'snapshot',
    event: { task: fold.snapshot() },
    at: new Date(fold.status.timestamp ?? row.statusAt),
    state: fold.state,
    ...(reset ? { reset } : {}),
  };
  yield* followLog(query, feed, { ids: row, after: fold.sequence, state: fold.state, signal });
}
