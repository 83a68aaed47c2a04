import type { Dispatcher, Pool } from 'undici';
import type { Deadline } from './deadline.ts';
import { dispatch } from './dispatch.ts';
import type { HeaderMap } from './headers.ts';
import { tooLarge } from './response.ts';

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: HeaderMap;
}

/** One answer with its whole body. */
export interface WholeAnswer extends AnswerHead {
  readonly bytes: Buffer;
}

/** How an answer is read, in one piece or as it comes. */
export interface ReadOptions {
  readonly deadline: Deadline;
  /** Looks at the head of the answer; false: its body is not wanted. @throws what the call is to fail with. */
  wantsBody(status: number, headers: HeaderMap): boolean;
}

export interface WholeAnswerOptions extends ReadOptions {
  readonly maxBytes: number;
  /** For messages: scheme, host and port. */
  readonly origin: string;
}

const EMPTY = Buffer.alloc(0);

/**
 * An answer in one piece. Stops at the cap, so that no more than that is ever held.
 *
 * @throws whatever undici fails with, PAYLOAD_TOO_LARGE, and the deadline's reason.
 */
export function askForWhole(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  { maxBytes, origin, deadline, wantsBody }: WholeAnswerOptions,
): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    let head: AnswerHead | undefined;
    let size = 0;
    const chunks: Buffer[] = [];
    const sent = dispatch(pool, request, deadline, {
      head(status, headers) {
        head = { status, headers };
        if (!wantsBody(status, headers)) {
          resolve({ ...head, bytes: EMPTY });
          sent.drop();
        } else if (request.method !== 'HEAD' && Number(headers['content-length'] ?? 0) > maxBytes)
          throw tooLarge(origin, maxBytes);
      },
      data(chunk) {
        size += chunk.byteLength;
        if (size <= maxBytes) return void chunks.push(chunk);
        reject(tooLarge(origin, maxBytes));
        sent.drop();
      },
      end: () => resolve({ ...head!, bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size) }),
      fail: reject,
    });
  });
}
