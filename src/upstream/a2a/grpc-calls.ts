import type { Client, Metadata } from '@grpc/grpc-js';
import { RollcallError } from '../../errors.ts';

/** One call to an agent, its messages as bytes. */
export interface GrpcCall {
  readonly client: Client;
  readonly authority: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly metadata: Metadata;
  /** Until the answer is there; for a stream, the longest silence. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Aborts when the server shuts down. */
  readonly closing: AbortSignal;
}

/** Beyond this Node fires a timer at once. */
const MAX_TIMER_MS = 2_147_483_647;
const same = (value: Buffer): Buffer => value;

/** What ends a call from our side: its caller, the server's end, or the time. Remembers which came first. */
class Ending {
  reason: unknown;
  readonly #signals: readonly AbortSignal[];
  readonly #listeners: (() => void)[];
  readonly #timer: NodeJS.Timeout;

  constructor({ signal, closing, timeoutMs, authority }: GrpcCall, cancel: () => void, isWaiting = () => true) {
    const end = (reason: unknown): void => {
      this.reason ??= reason;
      cancel();
    };
    this.#signals = [signal, closing];
    this.#listeners = this.#signals.map((it) => () => end(it.reason));
    this.#signals.forEach((it, i) => void it.addEventListener('abort', this.#listeners[i]!, { once: true }));
    this.#timer = setTimeout(
      () => {
        if (!isWaiting()) return void this.#timer.refresh();
        end(new RollcallError('UPSTREAM_TIMEOUT', `${authority} sent nothing for ${timeoutMs} ms.`));
      },
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
    const aborted = this.#signals.find((it) => it.aborted);
    if (aborted !== undefined) queueMicrotask(() => end(aborted.reason));
  }

  heard(): void {
    this.#timer.refresh();
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#signals.forEach((it, i) => void it.removeEventListener('abort', this.#listeners[i]!));
  }
}

/** @throws the ServiceError of the call; the reason of whatever ended it from our side. */
export function callUnary(given: GrpcCall): Promise<Buffer> {
  const { client, path, bytes, metadata } = given;
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(path, same, same, bytes, metadata, (error, answer) => {
      ending.release();
      if (error === null && answer !== undefined) resolve(answer);
      else reject((ending.reason as Error | undefined) ?? error);
    });
    const ending = new Ending(given, () => call.cancel());
  });
}

/**
 * The messages of a streaming call, as they come. The silence counts while we wait for the agent and not while the
 * reader is busy; what the reader has not taken holds the agent back by the window of the connection.
 *
 * @throws as {@link callUnary}.
 */
export async function* callStreaming(given: GrpcCall): AsyncGenerator<Buffer> {
  const { client, path, bytes, metadata } = given;
  const call = client.makeServerStreamRequest(path, same, same, bytes, metadata);
  // A call that is cancelled reports that too; without a listener, one that nobody reads any more would end the process.
  call.on('error', () => undefined);
  let waiting = true;
  const ending = new Ending(
    given,
    () => call.cancel(),
    () => waiting,
  );
  try {
    for await (const message of call as AsyncIterable<Buffer>) {
      waiting = false;
      yield message;
      waiting = true;
      ending.heard();
    }
    if (ending.reason !== undefined) throw ending.reason;
  } catch (error) {
    throw ending.reason ?? error;
  } finally {
    ending.release();
    call.cancel();
  }
}
