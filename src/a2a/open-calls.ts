import type { ServerResponse } from 'node:http';
import { RollcallError } from '../errors.ts';

/** How long answers may take once the server stops, before their callers are told. Milliseconds. */
const GRACE_MS = 2_000;

const stopping = (): RollcallError =>
  new RollcallError('SHUTTING_DOWN', 'The server is stopping. Work that was accepted goes on: ask for it again.');

/** The calls under way. The signal of each says that nobody reads its answer any more, or that the server stops. */
export class OpenCalls {
  readonly #streams = new Set<AbortController>();
  readonly #waits = new Set<AbortController>();
  #closing = false;

  /** @param raw the response: its connection is watched until it is sent */
  open(raw: ServerResponse, streaming: boolean): AbortSignal {
    const controller = new AbortController();
    const calls = streaming ? this.#streams : this.#waits;
    if (this.#closing && streaming) controller.abort(stopping());
    calls.add(controller);
    raw.once('close', () => {
      calls.delete(controller);
      controller.abort();
    });
    return controller.signal;
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
