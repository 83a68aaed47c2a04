import type { Query } from '../../database/drivers.ts';
import { nameOf } from '../../database/statement-names.ts';
import { type Histogram, merge, percentile, total } from '../latency.ts';
import type { AgentLatency } from '../model.ts';
import { firstLatencyDay } from '../usage.ts';

/** How long calls of each of these agents took lately; undefined where none was timed. One statement. */
export async function latencyOfAgents(
  query: Query,
  agentIds: readonly string[],
): Promise<(AgentLatency | undefined)[]> {
  const text = `select l.agent, l.buckets from agent_latency l where l.agent = any($1::uuid[]) and l.day >= $2::date`;
  const rows = await query<{ agent: string; buckets: Histogram }>(text, [agentIds, firstLatencyDay()], nameOf(text));
  const merged = new Map<string, number[]>();
  for (const { agent, buckets } of rows) {
    const histogram = merged.get(agent) ?? [];
    merge(histogram, buckets);
    merged.set(agent, histogram);
  }
  return agentIds.map((id) => summary(merged.get(id) ?? []));
}

function summary(histogram: Histogram): AgentLatency | undefined {
  const [p50, p95, p99] = [50, 95, 99].map((percent) => percentile(histogram, percent));
  if (p50 === undefined || p95 === undefined || p99 === undefined) return undefined;
  return { calls: total(histogram), p50, p95, p99 };
}
