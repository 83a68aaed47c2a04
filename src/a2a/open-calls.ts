import { RollcallError } from '../errors.ts';

/** How long answers may take once the server stops, before their callers are told. Milliseconds. */
const GRACE_MS = 2_000;

const stopping = (): RollcallError =>
  new RollcallError('SHUTTING_DOWN', 'The server is stopping. Work that was accepted goes on: ask for it again.');

/** One for all calls: to make an error for every call that ends is a tenth of what it costs. */
const OVER = new DOMException('The call is over.', 'AbortError');

/** A call under way. */
export interface OpenCall {
  /** Says that nobody reads the answer any more, or that the server stops. */
  readonly signal: AbortSignal;
  /** To be called when the answer is sent, or the caller has gone. */
  readonly end: () => void;
}

/** The calls under way, so that a server that stops can end them. */
export class OpenCalls {
  readonly #streams = new Set<AbortController>();
  readonly #waits = new Set<AbortController>();
  #closing = false;

  open(streaming: boolean): OpenCall {
    const controller = new AbortController();
    const calls = streaming ? this.#streams : this.#waits;
    if (this.#closing && streaming) controller.abort(stopping());
    calls.add(controller);
    const end = (): void => {
      calls.delete(controller);
      controller.abort(OVER);
    };
    return { signal: controller.signal, end };
  }

  /** Ends streams at once, and tells who still waits for an answer after a while. The work goes on. */
  close(): void {
    this.#closing = true;
    for (const controller of this.#streams) controller.abort(stopping());
    const late = setTimeout(() => {
      for (const controller of this.#waits) controller.abort(stopping());
    }, GRACE_MS);
    late.unref();
  }
}
