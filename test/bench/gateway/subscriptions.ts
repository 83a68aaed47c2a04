import { startAsker, startServer } from '../processes.ts';
import type { Latency, SubscriberJobs } from './subscribers.ts';

export interface SubscriptionFigures {
  readonly count: number;
  /** KiB for each open subscription with its socket: what is in use, and what the process has more. */
  readonly usedKiB: number;
  readonly residentKiB: number;
  /** From the event in the gateway to its arrival at the client, with a remote subgraph's field fetched for it. */
  readonly one: Latency;
  /** The same when all subscriptions have an event at the same moment. */
  readonly all: Latency;
}

export interface SubscriptionOptions {
  /** File of the supergraph of agents with their events, and costs. */
  readonly supergraph: string;
  readonly count: number;
  /** Events for one subscription each, and events for all. */
  readonly bursts: { readonly one: number; readonly all: number };
}

const EVERY_MS = 5;
const ALL_EVERY_MS = 2_000;
/** Opened and closed before, so that what is made once for all does not count. */
const WARM_UP = 100;

async function memoryOf(url: string): Promise<{ readonly used: number; readonly rss: number }> {
  const answer = await fetch(new URL('bench/memory', url));
  return (await answer.json()) as { used: number; rss: number };
}

/** Subscriptions of one server, each with its own socket, whose events need a field of a remote subgraph. */
export async function measureSubscriptions(options: SubscriptionOptions): Promise<SubscriptionFigures> {
  const { count, bursts } = options;
  const gateway = await startServer('gateway/ours.ts', { SUPERGRAPH: options.supergraph, LOCAL: 'pulses' });
  const subscribers = startAsker<SubscriberJobs>('gateway/subscribers.ts');
  try {
    const { url } = gateway;
    await subscribers.ask('open', { url, count: WARM_UP });
    await subscribers.ask('pulse', { url, bursts: WARM_UP, everyMs: EVERY_MS, all: false });
    await subscribers.ask('close', undefined);
    const before = await memoryOf(url);
    await subscribers.ask('open', { url, count });
    const after = await memoryOf(url);
    const one = await subscribers.ask('pulse', { url, bursts: bursts.one, everyMs: EVERY_MS, all: false });
    const all = await subscribers.ask('pulse', { url, bursts: bursts.all, everyMs: ALL_EVERY_MS, all: true });
    await subscribers.ask('close', undefined);
    return {
      count,
      usedKiB: (after.used - before.used) / 1024 / count,
      residentKiB: (after.rss - before.rss) / 1024 / count,
      one,
      all,
    };
  } finally {
    await subscribers.stop();
    await gateway.stop();
  }
}
