import { vi } from 'vitest';

/** What a client was answered over HTTP. */
export interface Exchange {
  readonly url: string;
  readonly headers: Headers;
  /** The JSON that it sent. */
  readonly request: unknown;
  readonly status: number;
  readonly type: string;
  /** All of the answer that was read so far. */
  text: string;
}

const parsed = (body: unknown): unknown => (typeof body === 'string' && body !== '' ? JSON.parse(body) : undefined);

/** Notes, for every client alike, what it asks and what it is answered. The answers are not held up. */
export function recordFetch(note: (exchange: Exchange) => void): void {
  const real = fetch;
  const recording: typeof fetch = async (input, init) => {
    const answer = await real(input, init);
    const exchange: Exchange = {
      url: String(input instanceof Request ? input.url : input),
      headers: new Headers(init?.headers),
      request: parsed(init?.body),
      status: answer.status,
      type: answer.headers.get('content-type') ?? '',
      text: '',
    };
    note(exchange);
    if (answer.body === null) return answer;
    const decoder = new TextDecoder();
    const copy = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        exchange.text += decoder.decode(chunk, { stream: true });
        controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = answer;
    return new Response(answer.body.pipeThrough(copy), { status, statusText, headers });
  };
  vi.stubGlobal('fetch', recording);
}

/** The JSON values in an answer: one, or those of the events of a stream that came whole. */
export function valuesOf({ type, text }: Exchange): unknown[] {
  if (!type.startsWith('text/event-stream')) return [JSON.parse(text)];
  const events = text.split('\n\n').slice(0, -1);
  return events.flatMap((event) => {
    const data = event.split('\n').filter((line) => line.startsWith('data:'));
    return data.length === 0 ? [] : [JSON.parse(data.map((line) => line.slice(5)).join('\n')) as unknown];
  });
}
