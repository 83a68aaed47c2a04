import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';

/** What graphql-sse answers: a body, or the messages of a stream. */
export type SseAnswer = readonly [
  string | null | AsyncGenerator<string, void, undefined>,
  { readonly status: number; readonly headers?: Readonly<Record<string, string>> },
];

/** Sends an answer of graphql-sse. A reader that does not read holds up its own stream and nothing else. */
export async function sendSse(reply: FastifyReply, [body, { status, headers }]: SseAnswer): Promise<void> {
  if (body === null || typeof body === 'string') {
    reply
      .code(status)
      .headers(headers ?? {})
      .send(body ?? '');
    return;
  }
  const { raw } = reply;
  const gone = new AbortController();
  raw.once('close', () => {
    gone.abort();
    void body.return();
  });
  reply.hijack();
  raw.writeHead(status, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...headers });
  for await (const message of body) {
    if (!raw.writable) break;
    if (!raw.write(message)) await once(raw, 'drain', { signal: gone.signal }).catch(() => undefined);
  }
  raw.end();
}
