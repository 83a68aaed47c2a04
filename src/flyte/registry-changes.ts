import type { Events } from '../events/events.ts';
import type { Registry } from '../registry/registry.ts';

type Unsubscribe = () => void;

/** When Flyte's rows change: subscribes, and answers what ends that. */
export type Changes = (listener: () => void) => Unsubscribe;

/** Anything that happens to an agent here may change what Flyte is told or where its tasks go. */
export const changesHere =
  (events: Events): Changes =>
  (listener) =>
    events.on('agent', listener);

/**
 * As {@link changesHere}, and what other servers of the same database did: events stay within a process, so the database
 * is asked for a stamp, by one timer for all listeners, while there are any.
 *
 * @param everyMs between two questions
 */
export function changesAnywhere(events: Events, registry: Pick<Registry, 'flyteStamp'>, everyMs: number): Changes {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let stamp: string | undefined;

  const ask = async (): Promise<void> => {
    // While the database is away nothing is news; what happened meanwhile shows in the next stamp.
    const now = await registry.flyteStamp().catch(() => stamp);
    const isNews = stamp !== undefined && now !== stamp;
    stamp = now;
    if (isNews) for (const listener of listeners) listener();
    if (listeners.size > 0) timer = setTimeout(() => void ask(), everyMs).unref();
  };

  return (listener) => {
    const ends = events.on('agent', listener);
    listeners.add(listener);
    if (listeners.size === 1) void ask();
    return () => {
      ends();
      listeners.delete(listener);
      if (listeners.size === 0) clearTimeout(timer);
    };
  };
}
