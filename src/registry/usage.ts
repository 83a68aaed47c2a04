import type { Logger } from 'pino';
import type { Query } from '../database/drivers.ts';

/** Counts calls of agents in memory and adds them to agent_usage every few seconds. */
export interface UsageMeter {
  /** One finished call. */
  record(agentId: string, failed: boolean, at?: Date): void;
  /** Writes what has been counted. A failed write keeps the counts for the next one. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

interface Tally {
  calls: number;
  failures: number;
  lastUsedAt: Date;
}

/** Traffic never touches the agent row, and a busy agent costs one small update per interval, not one per call. */
export function createUsageMeter(query: Query, log: Logger, intervalMs = 3_000): UsageMeter {
  let tallies = new Map<string, Tally>();
  let writing = Promise.resolve();

  const add = (id: string, tally: Tally): void => {
    const present = tallies.get(id);
    if (present === undefined) {
      tallies.set(id, { ...tally });
      return;
    }
    present.calls += tally.calls;
    present.failures += tally.failures;
    if (tally.lastUsedAt > present.lastUsedAt) present.lastUsedAt = tally.lastUsedAt;
  };

  const write = async (): Promise<void> => {
    if (tallies.size === 0) return;
    const batch = tallies;
    tallies = new Map();
    // In one order everywhere: two servers that update the same rows crosswise would block one another.
    const rows = [...batch].sort(([a], [b]) => (a < b ? -1 : 1));
    try {
      await query(
        `update agent_usage u set calls = u.calls + w.calls, failures = u.failures + w.failures, last_used_at = greatest(u.last_used_at, w.at)
         from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[]) as w(agent, calls, failures, at) where u.agent = w.agent`,
        [
          rows.map(([id]) => id),
          rows.map(([, t]) => t.calls),
          rows.map(([, t]) => t.failures),
          rows.map(([, t]) => t.lastUsedAt),
        ],
      );
    } catch (error) {
      for (const [id, tally] of rows) add(id, tally);
      log.warn({ err: error }, 'usage could not be written; it is kept and tried again');
    }
  };

  const flush = (): Promise<void> => (writing = writing.then(write));
  const timer = setInterval(() => void flush(), intervalMs);
  timer.unref();
  return {
    record: (agentId, failed, at = new Date()) => add(agentId, { calls: 1, failures: failed ? 1 : 0, lastUsedAt: at }),
    flush,
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}
