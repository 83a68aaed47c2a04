import { buildListing, type FlyteListing } from './listing.ts';
import { Snapshot, type SnapshotTimings } from './snapshot.ts';
import type { FlyteLog, FlyteSource } from './source.ts';

/** The metadata services' answers, renewed when agents change. `onRead` is called after each good read. */
export function flyteCatalog(
  source: FlyteSource,
  log: FlyteLog,
  timings: SnapshotTimings,
  onRead: () => void,
): Snapshot<FlyteListing> {
  let warned = '';
  return new Snapshot({
    name: 'agents',
    read: async () => buildListing(await source.list()),
    onChange: (listener) => source.onChange(listener),
    onRead: ({ warnings }) => {
      // Each read repeats them: only what changed is worth a line.
      const text = warnings.join('\n');
      if (text !== warned) for (const warning of warnings) log.warn({}, warning);
      warned = text;
      onRead();
    },
    log,
    timings,
  });
}
