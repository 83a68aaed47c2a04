import type { Dispatcher, Pool } from 'undici';
import type { IncomingHttpHeaders } from 'undici/types/header.js';
import type { Deadline } from './deadline.ts';
import { type HeaderMap, responseHeaders } from './headers.ts';

/** Who takes an answer as the parser hands it over. After `end` or `fail` nothing more comes. */
export interface Receiver {
  /** The head of the answer. @throws what the call is to fail with. */
  head(status: number, headers: HeaderMap): void;
  data(chunk: Buffer): void;
  end(): void;
  /** What undici fails with, what `head` threw, or the deadline's reason. */
  fail(reason: unknown): void;
}

/** A request that is on its way, or waits for a connection. */
export interface Dispatched {
  /** Ends it; the receiver hears nothing more. */
  drop(): void;
  pause(): void;
  resume(): void;
}

/**
 * Sends a request and hands its answer over without a stream in between: making one for an answer takes longer than
 * reading most of them.
 *
 * @throws the deadline's reason, when it is over already.
 */
export function dispatch(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  deadline: Deadline,
  receiver: Receiver,
): Dispatched {
  let sending: Dispatcher.DispatchController | undefined;
  let ended = false;
  const end = (): boolean => {
    if (ended) return false;
    ended = true;
    off();
    return true;
  };
  const fail = (reason: unknown): void => {
    if (!end()) return;
    receiver.fail(reason);
    sending?.abort(reason as Error);
  };
  deadline.throwIfAborted();
  const off = deadline.onAbort(fail);
  pool.dispatch(request, {
    onRequestStart(controller) {
      sending = controller;
      // It had to wait for a connection, and nobody waits for its answer any more: it is never sent.
      if (ended) controller.abort(new Error('the call is over'));
    },
    onResponseStart(_controller, status: number, headers: IncomingHttpHeaders) {
      // An informational answer comes before the one that is meant.
      if (ended || status < 200) return;
      try {
        receiver.head(status, responseHeaders(headers));
      } catch (error) {
        fail(error);
      }
    },
    onResponseData(_controller, chunk) {
      if (!ended) receiver.data(chunk);
    },
    onResponseEnd() {
      if (end()) receiver.end();
    },
    onResponseError(_controller, error) {
      fail(error);
    },
  });
  return {
    drop() {
      if (end()) sending?.abort(new Error('nobody wants the rest of the answer'));
    },
    pause: () => sending?.pause(),
    resume: () => sending?.resume(),
  };
}
