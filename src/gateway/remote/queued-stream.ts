import { EventQueue } from './event-queue.ts';
import type { RemoteOptions } from './options.ts';
import { readResponse } from './response.ts';
import { streamFailure, tooSlow } from './stream-failure.ts';

/** What a subscription client calls; graphql-ws and graphql-sse agree on it. */
export interface StreamSink {
  next(event: unknown): void;
  error(thrown: unknown): void;
  complete(): void;
}

/**
 * A client's events as a bounded queue: read as GraphQL responses, ended with an error when the reader stays behind or
 * the other side fails.
 *
 * @param open subscribes, and answers what ends the subscription
 */
export function queuedStream(
  options: RemoteOptions,
  onEnd: () => void,
  open: (sink: StreamSink) => () => void,
): EventQueue {
  const capacity = options.maxQueuedEvents ?? 1_000;
  let close = (): void => {};
  const queue = new EventQueue(capacity, () => {
    onEnd();
    close();
  });
  close = open({
    next(event) {
      try {
        if (!queue.push(readResponse(event, options.name))) queue.end({ error: tooSlow(capacity) });
      } catch (error) {
        queue.end({ error });
      }
    },
    error: (thrown) => queue.end({ error: streamFailure(thrown, options.name) }),
    complete: () => queue.end(),
  });
  return queue;
}
