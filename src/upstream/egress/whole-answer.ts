import type { Dispatcher, Pool } from 'undici';
import type { IncomingHttpHeaders } from 'undici/types/header.js';
import type { Deadline } from './deadline.ts';
import { type HeaderMap, responseHeaders } from './headers.ts';
import { tooLarge } from './response.ts';

/** One answer with its whole body. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly bytes: Buffer;
}

export interface WholeAnswerOptions {
  readonly maxBytes: number;
  /** For messages: scheme, host and port. */
  readonly origin: string;
  readonly deadline: Deadline;
  /** Looks at the head of the answer; false: its body is not wanted. @throws what the call is to fail with. */
  wantsBody(status: number, headers: HeaderMap): boolean;
}

const EMPTY = Buffer.alloc(0);

/**
 * Reads an answer as the parser hands it over, without a stream in between: most answers are one chunk, and making a
 * stream for it takes longer than reading it. Stops at the cap, so that no more than that is ever held.
 *
 * @throws whatever undici fails with, PAYLOAD_TOO_LARGE, and the deadline's reason.
 */
export function askForWhole(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  { maxBytes, origin, deadline, wantsBody }: WholeAnswerOptions,
): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    let sending: Dispatcher.DispatchController | undefined;
    let ended = false;
    let status = 0;
    let headers: HeaderMap = {};
    let size = 0;
    const chunks: Buffer[] = [];
    const end = (): void => {
      ended = true;
      off();
    };
    const fail = (reason: unknown): void => {
      if (ended) return;
      end();
      reject(reason);
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
      onResponseStart(controller, statusCode: number, raw: IncomingHttpHeaders) {
        // An informational answer comes before the one that is meant.
        if (ended || statusCode < 200) return;
        status = statusCode;
        headers = responseHeaders(raw);
        try {
          if (wantsBody(status, headers)) {
            if (request.method !== 'HEAD' && Number(headers['content-length'] ?? 0) > maxBytes)
              throw tooLarge(origin, maxBytes);
            return;
          }
          end();
          resolve({ status, headers, bytes: EMPTY });
          controller.abort(new Error('its body is not wanted'));
        } catch (error) {
          fail(error);
        }
      },
      onResponseData(_controller, chunk) {
        if (ended) return;
        size += chunk.byteLength;
        if (size > maxBytes) fail(tooLarge(origin, maxBytes));
        else chunks.push(chunk);
      },
      onResponseEnd() {
        if (ended) return;
        end();
        resolve({ status, headers, bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size) });
      },
      onResponseError(_controller, error) {
        fail(error);
      },
    });
  });
}
