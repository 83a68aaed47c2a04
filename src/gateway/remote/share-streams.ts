import type { ExecutionResult } from 'graphql';
import type { ExecRequest } from '../engine.ts';
import { EventQueue } from './event-queue.ts';
import type { RemoteOptions } from './options.ts';
import { copyResult } from './response.ts';
import { keyOf, sendingOf } from './sending.ts';
import { tooSlow } from './stream-failure.ts';

type Stream = AsyncIterableIterator<ExecutionResult, undefined>;
export type OpenStream = (request: ExecRequest) => Stream;

interface Shared {
  readonly upstream: Stream;
  readonly readers: Set<EventQueue>;
  begun: boolean;
}

/**
 * Equal subscriptions of one caller have one upstream: the same caller, forwarded headers, text and variables. Each
 * reader has a bounded queue and copies of its own; one that falls behind ends alone.
 *
 * A stream that has brought its first event takes no more readers, unless `shareRunningStreams` is set: many begin with
 * a snapshot or with what a cursor asks for, which a late reader would miss.
 */
export function shareStreams(open: OpenStream, options: RemoteOptions): OpenStream {
  const capacity = options.maxQueuedEvents ?? 1_000;
  const joinable = new Map<string, Shared>();

  return (request) => {
    const key = keyOf(sendingOf(request, options));
    const shared = joinable.get(key) ?? begin(key, request);
    const reader: EventQueue = new EventQueue(capacity, () => {
      shared.readers.delete(reader);
      if (shared.readers.size > 0) return;
      forget(key, shared);
      void shared.upstream.return?.();
    });
    shared.readers.add(reader);
    return reader;
  };

  function begin(key: string, request: ExecRequest): Shared {
    // Not the signal of the first reader: its end is not the others'.
    const shared: Shared = { upstream: open({ ...request, signal: undefined }), readers: new Set(), begun: false };
    joinable.set(key, shared);
    void pass(key, shared);
    return shared;
  }

  function forget(key: string, shared: Shared): void {
    if (joinable.get(key) === shared) joinable.delete(key);
  }

  async function pass(key: string, shared: Shared): Promise<void> {
    let outcome: { readonly error?: unknown } = {};
    try {
      for await (const event of shared.upstream) {
        if (!shared.begun && options.shareRunningStreams !== true) forget(key, shared);
        shared.begun = true;
        const last = [...shared.readers].at(-1);
        for (const reader of shared.readers) {
          // The gateway joins other subgraphs' fields into an event: only one reader may have the event itself.
          if (!reader.push(reader === last ? event : copyResult(event))) reader.end({ error: tooSlow(capacity) });
        }
      }
    } catch (error) {
      outcome = { error };
    }
    forget(key, shared);
    for (const reader of [...shared.readers]) reader.end(outcome);
  }
}
