import type { Dispatcher, Pool } from 'undici';
import { type Dispatched, dispatch } from './dispatch.ts';
import type { AnswerHead, ReadOptions } from './whole-answer.ts';

/** An answer whose body is still arriving. */
export interface StreamedAnswer extends AnswerHead {
  readonly body: Arriving;
}

/** Bytes that wait for their reader before the sender is held back. */
const MOST_WAITING = 64 * 1024;

/** A body as it arrives, for one reader. */
export class Arriving {
  readonly #sent: Dispatched;
  #waiting: Buffer[] = [];
  #size = 0;
  #paused = false;
  #over: { readonly reason?: unknown } | undefined;
  #wake: () => void = () => undefined;
  #onOver: () => void = () => undefined;

  constructor(sent: Dispatched) {
    this.#sent = sent;
  }

  /** The next chunk; undefined after the last one. @throws what the answer broke off with, after the chunks before it. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) {
        this.#size -= chunk.byteLength;
        if (this.#paused && this.#size <= MOST_WAITING / 2) {
          this.#paused = false;
          this.#sent.resume();
        }
        return chunk;
      }
      if (this.#over !== undefined) {
        if ('reason' in this.#over) throw this.#over.reason;
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Calls `listener` once nothing more arrives, whatever the reason. */
  onceOver(listener: () => void): void {
    if (this.#over !== undefined) listener();
    else this.#onOver = listener;
  }

  /** Ends the connection; the reader sees the body end. */
  drop(): void {
    this.#waiting = [];
    this.#sent.drop();
    this.finish({});
  }

  take(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#size += chunk.byteLength;
    if (!this.#paused && this.#size >= MOST_WAITING) {
      this.#paused = true;
      this.#sent.pause();
    }
    this.#wake();
  }

  finish(how: { readonly reason?: unknown }): void {
    if (this.#over !== undefined) return;
    this.#over = how;
    this.#wake();
    this.#onOver();
  }
}

/**
 * An answer as soon as its head is there.
 *
 * @throws whatever undici fails with, and the deadline's reason.
 */
export function askForStream(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  { deadline, wantsBody }: ReadOptions,
): Promise<StreamedAnswer> {
  return new Promise((resolve, reject) => {
    let body: Arriving | undefined;
    const sent: Dispatched = dispatch(pool, request, deadline, {
      head(status, headers) {
        const wanted = wantsBody(status, headers);
        body = new Arriving(sent);
        if (!wanted) body.drop();
        resolve({ status, headers, body });
      },
      data: (chunk) => body!.take(chunk),
      end: () => body!.finish({}),
      fail(reason) {
        if (body === undefined) reject(reason);
        else body.finish({ reason });
      },
    });
  });
}
