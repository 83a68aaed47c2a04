import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

/** A whole answer to a POST. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Why there is none, other than what {@link Post.abort} was told. */
export type NoAnswer = 'unreachable' | 'broken' | 'too large';

/** What is taken for an answer. */
export interface PostRules {
  readonly maxBytes: number;
  /** Why an answer is not worth reading, by its head. */
  refuse(status: number, contentType: string): Error | undefined;
  fail(why: NoAnswer, cause?: unknown): Error;
}

/**
 * One POST whose answer is read whole. It takes the chunks as undici has them: a stream and an abort signal for each
 * request would cost more than all else that a gateway does for a short one.
 */
export class Post implements Dispatcher.DispatchHandler {
  /** Rejects with an error of the rules, or with what {@link Post.abort} was told. */
  readonly answer: Promise<Answer>;
  readonly #rules: PostRules;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #controller: Dispatcher.DispatchController | undefined;
  #failure: Error | undefined;
  #resolve!: (answer: Answer) => void;
  #reject!: (reason: Error) => void;

  constructor(rules: PostRules) {
    this.#rules = rules;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Gives up at once, also where no connection was free yet. Does nothing once there is an answer. */
  abort(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#reject(reason);
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure !== undefined) controller.abort(this.#failure);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // An informational one comes before the answer (RFC 9110 §15.2).
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const refusal = this.#rules.refuse(status, String(headers['content-type'] ?? ''));
    if (refusal !== undefined) this.abort(refusal);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#rules.maxBytes) this.abort(this.#rules.fail('too large'));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, text: body.toString('utf8') });
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    this.#reject(this.#failure ?? this.#rules.fail(this.#status === 0 ? 'unreachable' : 'broken', cause));
  }
}
