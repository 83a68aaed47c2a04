import { RollcallError } from '../../errors.ts';
import { type Deadline, MAX_TIMER_MS } from './deadline.ts';
import { collect, type EgressStream, tooLarge } from './response.ts';
import type { StreamedAnswer } from './streamed-answer.ts';

interface OpenStream extends StreamedAnswer {
  readonly url: string;
  readonly origin: string;
  readonly deadline: Deadline;
  readonly idleTimeoutMs: number;
  readonly maxBytes: number;
  /** Cap of {@link EgressStream.bytes} when its caller names none. */
  readonly maxDocumentBytes: number;
  readonly describe: (error: unknown) => unknown;
}

/**
 * Wraps a body that has begun to arrive. The idle time counts while we wait for the other side and not while the reader
 * is busy: a slow reader holds the sender back by the window of the connection, and that is no failure.
 */
export function openStream(open: OpenStream): EgressStream {
  const { status, headers, url, origin, body, deadline, idleTimeoutMs } = open;
  let waiting = true;
  const idle = setTimeout(
    () => {
      if (!waiting) return void idle.refresh();
      deadline.abort(new RollcallError('UPSTREAM_TIMEOUT', `${origin} sent nothing for ${idleTimeoutMs} ms.`));
    },
    Math.min(idleTimeoutMs, MAX_TIMER_MS),
  );
  // Also when nobody reads: without it the timer and the caller's signal would keep this stream alive for ever.
  body.onceOver(() => {
    clearTimeout(idle);
    deadline.release();
  });

  let size = 0;
  const chunks: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      waiting = true;
      idle.refresh();
      try {
        const value = await body.next();
        if (value === undefined) return { done: true, value };
        size += value.byteLength;
        if (size > open.maxBytes) throw tooLarge(origin, open.maxBytes);
        return { done: false, value };
      } catch (error) {
        body.drop();
        throw open.describe(error);
      } finally {
        waiting = false;
      }
    },
    async return() {
      body.drop();
      return { done: true, value: undefined };
    },
  };

  return {
    status,
    headers,
    url,
    body: chunks,
    bytes: (maxBytes = open.maxDocumentBytes) => collect(chunks, maxBytes, origin),
    cancel: () => body.drop(),
  };
}
