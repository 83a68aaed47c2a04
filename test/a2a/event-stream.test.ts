import { once } from 'node:events';
import { connect } from 'node:net';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { sendEvents } from '../../src/a2a/event-stream.ts';
import type { Frame } from '../../src/a2a/execute.ts';
import { OpenCalls } from '../../src/a2a/open-calls.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { eventsOf, readEvents, take } from './support.ts';

const cleanup = afterTheTest();

/** Serves a stream at `/`; a failure before its first event as 500 with the message. */
async function serve(
  frames: (signal: AbortSignal) => AsyncGenerator<Frame>,
  heartbeatMs = 60_000,
): Promise<{ url: string; port: number; calls: OpenCalls }> {
  const app = fastify({ forceCloseConnections: true });
  const calls = new OpenCalls();
  app.get('/', async (_request, reply) => {
    const { signal, end } = calls.open(true);
    reply.raw.once('close', end);
    const failure = (thrown: unknown) => ({ event: 'error', data: { error: (thrown as Error).message } });
    await sendEvents(reply, frames(signal), { event: (value) => value, failure }, { signal, heartbeatMs });
    return reply;
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  cleanup(() => app.close());
  return { url, port: Number(new URL(url).port), calls };
}

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort');
};

test('a frame without an id gets none, the others their sequence', async () => {
  const { url } = await serve(async function* () {
    yield { value: { n: 1 } };
    yield { id: 4, value: { n: 2 } };
  });
  expect(await eventsOf(await fetch(url))).toEqual([
    { id: undefined, event: undefined, data: { n: 1 } },
    { id: '4', event: undefined, data: { n: 2 } },
  ]);
});

test('a quiet stream shows by comments that it lives, also before its first event', async () => {
  const { url } = await serve(async function* (signal) {
    await aborted(signal);
    yield* [];
  }, 20);
  const leaving = new AbortController();
  const response = await fetch(url, { signal: leaving.signal });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(response.headers.get('cache-control')).toContain('no-cache');
  const reader = response.body!.getReader();
  let text = '';
  while (text.length < 6) text += Buffer.from((await reader.read()).value!).toString();
  expect(text.replaceAll(':\n\n', '')).toBe('');
  leaving.abort();
});

test('a failure before the first event is a normal answer, a later one an event', async () => {
  const early = await serve(async function* () {
    yield* [];
    throw new Error('too early');
  });
  const refused = await fetch(early.url);
  expect(refused.status).toBe(500);
  expect(await refused.json()).toMatchObject({ message: 'too early' });
  const late = await serve(async function* () {
    yield { id: 1, value: { n: 1 } };
    throw new Error('too late');
  });
  const events = await eventsOf(await fetch(late.url));
  expect(events.at(-1)).toMatchObject({ event: 'error', data: { error: 'too late' } });
});

test('a reader that leaves ends the stream at its source, while that is silent', async () => {
  let freed: () => void = () => undefined;
  const free = new Promise<void>((resolve) => {
    freed = resolve;
  });
  const { url } = await serve(async function* (signal) {
    try {
      yield { id: 1, value: {} };
      await aborted(signal);
    } finally {
      freed();
    }
  });
  const leaving = new AbortController();
  const response = await fetch(url, { signal: leaving.signal });
  await take(readEvents(response), 1);
  leaving.abort();
  await free;
});

test('a reader that does not read holds its own stream up, and gets everything when it reads on', async () => {
  const total = 2_000;
  let made = 0;
  const { port } = await serve(async function* () {
    for (; made < total; made++) yield { id: made, value: { text: 'x'.repeat(10_000) } };
  });
  const socket = connect(port, '127.0.0.1');
  cleanup(async () => socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  // 20 MB are more than the buffers of both sides hold: the source comes to a stop.
  for (let before = -1; made === 0 || made !== before; ) {
    before = made;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(made).toBeLessThan(total);
  let bytes = 0;
  for await (const chunk of socket) bytes += (chunk as Buffer).length;
  expect(made).toBe(total);
  expect(bytes).toBeGreaterThan(total * 10_000);
});

test('streams end when the server stops', async () => {
  const { url, calls } = await serve(async function* (signal) {
    yield { id: 1, value: {} };
    await aborted(signal);
  });
  const response = await fetch(url);
  const all = eventsOf(response);
  calls.close();
  expect(await all).toHaveLength(1);
});
