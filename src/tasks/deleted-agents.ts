import { newId } from '../database/ids.ts';
import { claimTask } from './claims.ts';
import type { Entry, TaskRow } from './model.ts';
import { TASK_COLUMNS, toTaskRow } from './rows.ts';
import type { EngineParts } from './send.ts';

/** Tasks of deleted agents that are ended at a time. */
const BATCH = 100;
/** Milliseconds. */
const STOP_MS = 3_000;
const NOTE = 'The agent was deleted from the registry.';

/**
 * Cancels the unfinished tasks of agents that were deleted (DESIGN §2): at the agent where this replica drives them, and
 * in the log in any case. Several replicas may do so at once: the epoch decides whose entry counts.
 *
 * @param agentId of one agent; of every deleted agent when undefined
 */
export async function endTasksOfDeletedAgents(parts: EngineParts, agentId?: string): Promise<void> {
  const { database, journal, lease } = parts;
  for (let ended = BATCH; ended === BATCH; ) {
    const rows = await database.query<Record<string, unknown>>(
      `select ${TASK_COLUMNS} from task t join agent a on a.id = t.agent
       where t.finished_at is null and a.deleted_at is not null ${agentId === undefined ? '' : 'and a.id = $2'} limit $1`,
      agentId === undefined ? [BATCH] : [BATCH, agentId],
    );
    ended = 0;
    for (const seen of rows.map(toTaskRow)) {
      await hangUp(parts, seen);
      const row = await claimTask(database.query, seen.id, lease, seen.leaseEpoch);
      // Somebody else's work in progress; the next round looks again.
      if (row === undefined) continue;
      ended++;
      const message = { messageId: newId(), role: 'agent' as const, parts: [{ text: NOTE }] };
      const entry: Entry = { kind: 'status', status: { state: 'canceled', message } };
      await journal.append(row, { epoch: row.leaseEpoch, entries: [entry], at: new Date() });
    }
  }
}

async function hangUp({ runs, recorded }: EngineParts, row: TaskRow): Promise<void> {
  // Its deployment may be gone with it: it is asked, and no more.
  if (row.elsewhere) await recorded.stop(row.id, AbortSignal.timeout(STOP_MS)).catch(() => undefined);
  const run = runs.of(row.id);
  if (run === undefined) return;
  await run.cancelUpstream();
  await run.stop('canceled');
}
