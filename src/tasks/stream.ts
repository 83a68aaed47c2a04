import type { Query } from '../database/drivers.ts';
import { isTerminal, type TaskState } from '../protocol/a2a/model.ts';
import { eventOf, stateAfter, type TaskIds } from './fold.ts';
import type { Feed } from './log/feed.ts';
import type { LoggedEntry, TaskStreamItem } from './model.ts';
import { LOG_PAGE, logAfter } from './reads.ts';

/** Entries that wait for a slow reader; beyond it they are dropped, and read from the log when the reader is back. */
export const BUFFER = 256;
/**
 * Notices are delivered at most once, and between replicas perhaps not at all: a silent stream looks into the log by
 * itself, after pauses that double from the first to the last of these. Milliseconds.
 */
const LOOK_AGAIN_MS = { first: 250, longest: 15_000 } as const;

/** What a stream is opened with. */
export interface StreamStart {
  readonly ids: TaskIds;
  /** The last sequence that the reader has; what follows is delivered. */
  readonly after: number;
  /** The state at `after`. */
  readonly state: TaskState;
  /** Nothing is known to be behind `after` in the log: it need not be read to begin with. Default: false. */
  readonly upToDate?: boolean;
  readonly signal: AbortSignal;
}

/**
 * The log of a task from a sequence on, live. It listens first and reads the log afterwards, and an entry is delivered
 * only if it is the next one: so nothing is missed and nothing comes twice, whatever is lost or repeated on the way. It
 * ends after a terminal state, or when the signal aborts.
 */
export async function* followLog(query: Query, feed: Feed, start: StreamStart): AsyncGenerator<TaskStreamItem> {
  const { ids, signal } = start;
  let { after, state } = start;
  let buffer: LoggedEntry[] = [];
  // The newest sequence that we heard of. One more than we have where the log is to be read once, to begin with.
  let known = start.upToDate ? after : after + 1;
  let pause: number = LOOK_AGAIN_MS.first;
  let wake: () => void = () => undefined;
  const reached = (sequence: number): void => {
    known = Math.max(known, sequence);
    wake();
  };
  const stopListening = feed.listen(ids.id, {
    entries(entries) {
      for (const entry of entries) if (buffer.length < BUFFER && entry.sequence > after) buffer.push(entry);
      reached(entries.at(-1)?.sequence ?? 0);
    },
    reached,
  });
  const readLog = async (): Promise<LoggedEntry[]> => {
    const asked = known;
    const entries = await logAfter(query, ids.id, after);
    // Nothing there: a notice was wrong, or there was none.
    if (entries.length === 0 && known === asked) known = after;
    return entries;
  };
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted && !isTerminal(state)) {
      let entries = buffer;
      buffer = [];
      if (entries[0]?.sequence !== after + 1) entries = known > after ? await readLog() : [];
      if (entries.length > 0) pause = LOOK_AGAIN_MS.first;
      for (const entry of entries) {
        // The task has ended and its log was folded while it was read: this replaces what the reader has.
        const reset = entry.entry.kind === 'snapshot' && entry.sequence > after;
        if (entry.sequence !== after + 1 && !reset) continue;
        after = entry.sequence;
        known = Math.max(known, after);
        state = stateAfter(entry.entry) ?? state;
        const item = { sequence: after, kind: entry.entry.kind, event: eventOf(entry, ids), at: entry.at, state };
        yield reset ? { ...item, reset } : item;
        if (signal.aborted || isTerminal(state)) return;
      }
      if (entries.length === LOG_PAGE) known = Math.max(known, after + 1);
      if (buffer.length > 0 || known > after) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          known = Math.max(known, after + 1);
          resolve();
        }, pause);
        pause = Math.min(pause * 2, LOOK_AGAIN_MS.longest);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (signal.aborted || buffer.length > 0 || known > after) wake();
      });
      wake = () => undefined;
    }
  } finally {
    stopListening();
    signal.removeEventListener('abort', onAbort);
  }
}
