import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { encodeComment, encodeEvent, type SseEvent } from '../protocol/sse.ts';
import type { Frame } from './execute.ts';

/** How a binding says the events of a stream. */
export interface StreamFormat {
  /** The data of an event. */
  event(value: unknown): unknown;
  /** What says that the stream failed after it began. */
  failure(thrown: unknown): Omit<SseEvent, 'data'> & { readonly data: unknown };
}

export interface StreamOptions {
  /** Aborts when the reader has gone, or the server stops. */
  readonly signal: AbortSignal;
  /** After this much silence a comment is sent, so that no proxy takes the connection for dead. Milliseconds. */
  readonly heartbeatMs: number;
}

/** After this much silence at the beginning the reader learns that there is a stream. Milliseconds. */
const OPEN_AFTER_MS = 1_000;

/** A response that turns into an event stream with the first thing that is written. */
class EventOutput {
  readonly #reply: FastifyReply;
  readonly #raw: ServerResponse;
  readonly #signal: AbortSignal;
  opened = false;

  constructor(reply: FastifyReply, signal: AbortSignal) {
    this.#reply = reply;
    this.#raw = reply.raw;
    this.#signal = signal;
  }

  /** Resolves when the reader can take more: one that does not read holds up its own stream and nothing else. */
  async write(text: string): Promise<void> {
    this.#begin();
    if (this.#signal.aborted || this.#raw.write(text)) return;
    await once(this.#raw, 'drain', { signal: this.#signal }).catch(() => undefined);
  }

  /** Shows that the stream is alive, where nothing is on its way that shows it anyway. */
  beat(): void {
    this.#begin();
    if (!this.#signal.aborted && !this.#raw.writableNeedDrain) this.#raw.write(encodeComment());
  }

  /** Shows that there is a stream, before its first event. */
  open(): void {
    if (this.opened) return;
    this.#begin();
    this.#raw.flushHeaders();
  }

  /** The headers go out with what is written next: one packet says both. */
  #begin(): void {
    if (this.opened) return;
    this.opened = true;
    this.#reply.hijack();
    this.#raw.writeHead(200, {
      ...(this.#reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // Proxies of the nginx family hold events back otherwise.
      'x-accel-buffering': 'no',
    });
  }

  end(): void {
    this.#begin();
    this.#raw.end();
  }
}

/**
 * Sends a stream as server-sent events. Each event goes out as it comes, and the next one is asked for once the reader
 * can take it. Nothing is sent before the first event, or a second without one: what fails until then is thrown, so that
 * it becomes a normal answer.
 */
export async function sendEvents(
  reply: FastifyReply,
  frames: AsyncGenerator<Frame>,
  format: StreamFormat,
  { signal, heartbeatMs }: StreamOptions,
): Promise<void> {
  const output = new EventOutput(reply, signal);
  const heartbeat = setInterval(() => output.beat(), heartbeatMs);
  const opening = setTimeout(() => output.open(), OPEN_AFTER_MS);
  try {
    for await (const { id, value } of frames) {
      const data = JSON.stringify(format.event(value));
      await output.write(encodeEvent(id === undefined ? { data } : { id: String(id), data }));
      if (signal.aborted) break;
      heartbeat.refresh();
    }
  } catch (thrown) {
    if (!output.opened) throw thrown;
    const { data, ...rest } = format.failure(thrown);
    await output.write(encodeEvent({ ...rest, data: JSON.stringify(data) }));
  } finally {
    clearInterval(heartbeat);
    clearTimeout(opening);
  }
  output.end();
}
