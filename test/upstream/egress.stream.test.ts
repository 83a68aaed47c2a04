import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { egressWith, failure, httpServer } from './egress-support.ts';

/** A server that hands over each response to write to, in the order of the requests. */
async function streamServer() {
  const waiting: ((response: ServerResponse) => void)[] = [];
  const ready: ServerResponse[] = [];
  const server = await httpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    const next = waiting.shift();
    if (next === undefined) ready.push(response);
    else next(response);
  });
  const response = (): Promise<ServerResponse> =>
    new Promise((resolve) => {
      const first = ready.shift();
      if (first === undefined) waiting.push(resolve);
      else resolve(first);
    });
  return { ...server, response };
}

const closed = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => void response.once('close', () => resolve()));

const decode = (chunk: Uint8Array | undefined): string => Buffer.from(chunk ?? []).toString();

describe('a stream', () => {
  it('hands over each chunk when it arrives', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([egressWith().stream(server.url), server.response()]);
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream']);
    const chunks = stream.body[Symbol.asyncIterator]();
    for (const text of ['data: one\n\n', 'data: two\n\n']) {
      response.write(text);
      expect(decode((await chunks.next()).value)).toBe(text);
    }
    response.end();
    expect((await chunks.next()).done).toBe(true);
  });

  it('outlives the time limit for its headers', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([
      egressWith().stream(server.url, { timeoutMs: 1_000 }),
      server.response(),
    ]);
    setTimeout(() => response.end('late'), 1_300);
    expect(decode(await stream.bytes())).toBe('late');
  });

  it('may be given endless time', async () => {
    const server = await httpServer();
    const endless = { timeoutMs: Number.POSITIVE_INFINITY, idleTimeoutMs: Number.POSITIVE_INFINITY };
    expect(decode(await (await egressWith().stream(server.url, endless)).bytes())).toBe('ok');
  });

  it('fails when its headers do not come in time', async () => {
    const server = await httpServer(() => {});
    await failure(
      egressWith().stream(server.url, { timeoutMs: 100 }),
      'UPSTREAM_TIMEOUT',
      /did not answer within 100 ms/,
    );
  });

  it('fails after a silence, and closes the connection', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([
      egressWith().stream(server.url, { idleTimeoutMs: 100 }),
      server.response(),
    ]);
    const gone = closed(response);
    response.write('x');
    await failure(stream.bytes(), 'UPSTREAM_TIMEOUT', /sent nothing for 100 ms/);
    await gone;
  });

  it('does not count the time that its reader takes', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([
      egressWith().stream(server.url, { idleTimeoutMs: 1_000 }),
      server.response(),
    ]);
    response.write('one');
    let text = '';
    for await (const chunk of stream.body) {
      text += decode(chunk);
      if (text === 'one') {
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        response.end('two');
      }
    }
    expect(text).toBe('onetwo');
  });

  it('that nobody reads ends after the silence as well', async () => {
    const server = await streamServer();
    const [, response] = await Promise.all([egressWith().stream(server.url, { idleTimeoutMs: 50 }), server.response()]);
    await closed(response);
  });

  it('holds the sender back while nobody reads', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([egressWith().stream(server.url), server.response()]);
    const block = Buffer.alloc(1024 * 1024);
    let blocked = false;
    for (let n = 0; n < 200 && !blocked; n++) {
      blocked = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(true), 300);
        response.write(block, () => {
          clearTimeout(timer);
          resolve(false);
        });
      });
    }
    expect(blocked).toBe(true);
    stream.cancel();
  });

  it('goes on after it was held back, and nothing is lost', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([egressWith().stream(server.url), server.response()]);
    const blocks = 400;
    for (let n = 0; n < blocks; n++) response.write(Buffer.alloc(64 * 1024, n));
    response.end();
    const seen = await stream.bytes(blocks * 64 * 1024);
    expect(seen.length).toBe(blocks * 64 * 1024);
    for (let n = 0; n < blocks; n++) expect(seen[n * 64 * 1024 + 17]).toBe(n % 256);
  });

  it('that breaks off fails after what had come before', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([egressWith().stream(server.url), server.response()]);
    const chunks = stream.body[Symbol.asyncIterator]();
    response.write('one');
    expect(decode((await chunks.next()).value)).toBe('one');
    const gone = closed(response);
    response.write('two', () => response.socket?.end());
    await gone;
    expect(decode((await chunks.next()).value)).toBe('two');
    await failure(chunks.next(), 'UPSTREAM_UNREACHABLE', /before its answer was complete/);
  });

  it('closes the connection when its reader leaves', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([egressWith().stream(server.url), server.response()]);
    const gone = closed(response);
    response.write('first');
    for await (const chunk of stream.body) {
      expect(decode(chunk)).toBe('first');
      break;
    }
    await gone;
  });

  it('ends quietly for its reader when it is cancelled', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([egressWith().stream(server.url), server.response()]);
    const gone = closed(response);
    response.write('first');
    const seen: string[] = [];
    for await (const chunk of stream.body) {
      seen.push(decode(chunk));
      stream.cancel();
    }
    expect(seen).toEqual(['first']);
    await gone;
  });

  it('stops with the reason of its caller’s signal', async () => {
    const server = await streamServer();
    const caller = new AbortController();
    const [stream, response] = await Promise.all([
      egressWith().stream(server.url, { signal: caller.signal }),
      server.response(),
    ]);
    const gone = closed(response);
    const reading = stream.bytes();
    caller.abort(new Error('leaving'));
    await expect(reading).rejects.toThrow('leaving');
    await gone;
  });

  it('says so when the other side breaks off', async () => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([egressWith().stream(server.url), server.response()]);
    response.write('half', () => response.destroy());
    await failure(stream.bytes(), 'UPSTREAM_UNREACHABLE', /before its answer was complete/);
  });

  it.each([
    ['of the call', {}, { maxBytes: 10 }],
    ['of all streams', { limits: { maxStreamBytes: 10 } }, {}],
  ])('is cut at the cap %s', async (_, options, request) => {
    const server = await streamServer();
    const [stream, response] = await Promise.all([egressWith(options).stream(server.url, request), server.response()]);
    const gone = closed(response);
    response.write('more than ten bytes');
    await failure(stream.bytes(), 'PAYLOAD_TOO_LARGE', /more than 10 bytes/);
    await gone;
  });

  it('reads an error document within a cap', async () => {
    const server = await httpServer((_request, response) => void response.writeHead(503).end('x'.repeat(100)));
    const small = await egressWith().stream(server.url);
    expect([small.status, (await small.bytes()).length]).toEqual([503, 100]);
    await failure((await egressWith().stream(server.url)).bytes(99), 'PAYLOAD_TOO_LARGE');
  });

  it('gives its connection back once it is read to the end', async () => {
    const server = await httpServer();
    const egress = egressWith();
    for (let n = 0; n < 20; n++) await (await egress.stream(server.url, { method: 'POST', body: '{}' })).bytes();
    // Two, because a request made in the same turn as the end of the one before finds the first still occupied.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  it('ends with SHUTTING_DOWN when the door closes, and so does a call', async () => {
    const server = await streamServer();
    const egress = egressWith();
    const [stream] = await Promise.all([egress.stream(server.url), server.response()]);
    const call = failure(egress.fetch(server.url), 'SHUTTING_DOWN');
    const reading = failure(stream.bytes(), 'SHUTTING_DOWN');
    await server.response();
    await egress.close();
    await Promise.all([call, reading]);
    await failure(egress.fetch(server.url), 'SHUTTING_DOWN');
  });
});
