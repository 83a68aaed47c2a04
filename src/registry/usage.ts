import type { Logger } from 'pino';
import type { Query } from '../database/drivers.ts';
import { count, merge } from './latency.ts';

/** What is known of a call besides its agent. */
export interface CallDetails {
  /**
   * From the dispatch of the message until the task rested: it ended, or waits for the caller. Left out where that says
   * nothing about the agent: nobody answered, the caller cancelled, or another process dispatched it.
   */
  readonly latencyMs?: number | undefined;
  /** When it was over; now when left out. */
  readonly at?: Date;
}

/** Counts calls of agents in memory and adds them to agent_usage and agent_latency every few seconds. */
export interface UsageMeter {
  /** One finished call. */
  record(agentId: string, failed: boolean, details?: CallDetails): void;
  /** Writes what has been counted. A failed write keeps the counts for the next one. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

interface Tally {
  calls: number;
  failures: number;
  lastUsedAt: Date;
  /** By day in UTC, as 2026-01-31. */
  readonly latency: Map<string, number[]>;
}

/** Percentiles stand for the calls of this many days: today, in UTC, and those before it. */
export const LATENCY_DAYS = 7;

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

/** The first day that percentiles still count. */
export const firstLatencyDay = (now = new Date()): string =>
  dayOf(new Date(now.getTime() - (LATENCY_DAYS - 1) * 24 * 60 * 60 * 1_000));

// One statement: after a failure, all of it is tried again. Rows in one order everywhere, as two servers that update the
// same ones crosswise would block one another.
const WRITE = `with w as (
  select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[]) as w(agent, calls, failures, at)
), used as (
  update agent_usage u set calls = u.calls + w.calls, failures = u.failures + w.failures, last_used_at = greatest(u.last_used_at, w.at)
  from w where u.agent = w.agent
)
insert into agent_latency as l (agent, day, buckets)
select d.agent, d.day, d.buckets::int[] from unnest($5::uuid[], $6::date[], $7::text[]) as d(agent, day, buckets)
join agent_usage u on u.agent = d.agent order by d.agent, d.day
on conflict (agent, day) do update set buckets = (
  select array_agg(coalesce(x.a, 0) + coalesce(x.b, 0) order by x.place)
  from unnest(l.buckets, excluded.buckets) with ordinality as x(a, b, place)
)`;

/** Traffic never touches the agent row, and a busy agent costs one small update per interval, not one per call. */
export function createUsageMeter(query: Query, log: Logger, intervalMs = 3_000): UsageMeter {
  let tallies = new Map<string, Tally>();
  let writing = Promise.resolve();
  let tidied = '';

  const add = (id: string, tally: Tally): void => {
    const present = tallies.get(id);
    if (present === undefined) {
      tallies.set(id, tally);
      return;
    }
    present.calls += tally.calls;
    present.failures += tally.failures;
    if (tally.lastUsedAt > present.lastUsedAt) present.lastUsedAt = tally.lastUsedAt;
    for (const [day, histogram] of tally.latency) {
      const known = present.latency.get(day);
      if (known === undefined) present.latency.set(day, histogram);
      else merge(known, histogram);
    }
  };

  const write = async (): Promise<void> => {
    if (tallies.size === 0) return;
    const batch = tallies;
    tallies = new Map();
    const rows = [...batch].sort(([a], [b]) => (a < b ? -1 : 1));
    const days = rows.flatMap(([id, { latency }]) => [...latency].map(([day, histogram]) => ({ id, day, histogram })));
    try {
      await query(WRITE, [
        rows.map(([id]) => id),
        rows.map(([, t]) => t.calls),
        rows.map(([, t]) => t.failures),
        rows.map(([, t]) => t.lastUsedAt),
        days.map(({ id }) => id),
        days.map(({ day }) => day),
        days.map(({ histogram }) => `{${histogram.join()}}`),
      ]);
    } catch (error) {
      for (const [id, tally] of rows) add(id, tally);
      log.warn({ err: error }, 'usage could not be written; it is kept and tried again');
      return;
    }
    await tidy().catch((error: unknown) => log.warn({ err: error }, 'old latencies could not be removed'));
  };

  /** Removes the days that no percentile counts any more: once a day. */
  const tidy = async (): Promise<void> => {
    const first = firstLatencyDay();
    if (first === tidied) return;
    await query('delete from agent_latency where day < $1::date', [first]);
    tidied = first;
  };

  const flush = (): Promise<void> => (writing = writing.then(write));
  const timer = setInterval(() => void flush(), intervalMs);
  timer.unref();
  return {
    record(agentId, failed, { latencyMs, at = new Date() } = {}) {
      add(agentId, { calls: 1, failures: failed ? 1 : 0, lastUsedAt: at, latency: new Map() });
      if (latencyMs === undefined) return;
      const { latency } = tallies.get(agentId)!;
      const day = dayOf(at);
      const histogram = latency.get(day) ?? [];
      latency.set(day, histogram);
      count(histogram, latencyMs);
    },
    flush,
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}
