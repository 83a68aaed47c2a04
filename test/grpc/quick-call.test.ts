import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type Client, Metadata, type Server, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { quickCall } from '../../src/grpc/quick-call.ts';
import { type Bytes, clientOf, PATH, startServer, type Unary } from './one-method.ts';

/** A client that is connected to a grpc-js server with this one method. */
async function served(handle: Unary, options = {}): Promise<{ client: Client; server: Server }> {
  const { server, port } = await startServer(handle);
  return { client: await clientOf(port, options), server };
}

/** A client of a server that answers as no grpc library does. */
async function speaking(answer: (stream: ServerHttp2Stream) => void): Promise<Client> {
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.resume().on('end', () => answer(stream));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return clientOf((server.address() as AddressInfo).port);
}

const soon = (ms = 5_000) => ({
  metadata: new Metadata(),
  deadline: Date.now() + ms,
  signal: new AbortController().signal,
});
const failure = (call: Promise<Bytes>): Promise<ServiceError> =>
  call.then(
    () => Promise.reject(new Error('the call succeeded')),
    (error: ServiceError) => error,
  );
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };

describe('a quick call', () => {
  test.each([0, 1, 100_000, 6_000_000])('carries %d bytes there and back, with metadata and deadline', async (size) => {
    let seen: Parameters<Unary>[0] | undefined;
    const { client } = await served(
      (call, callback) => {
        seen = call;
        callback(null, call.request);
      },
      { 'grpc.max_receive_message_length': -1 },
    );
    const sent = soon(4_000);
    sent.metadata.set('x-request-id', 'r1');
    const request = Buffer.alloc(size, 7);
    expect((await quickCall(client, PATH, request, sent)).equals(request)).toBe(true);
    expect(seen?.metadata.get('x-request-id')).toEqual(['r1']);
    expect(seen?.getHost()).toBe(client.getChannel().getTarget().replace(/^dns:/, ''));
    expect(Math.abs(Number(seen?.getDeadline()) - sent.deadline)).toBeLessThan(2_000);
    expect(sent.metadata.get('grpc-timeout')).toEqual([]);
  });

  test('gives the status, the text and the trailers of a failure', async () => {
    const metadata = new Metadata();
    metadata.set('x-why', 'because');
    const { client } = await served((_call, callback) =>
      callback({ code: status.NOT_FOUND, details: 'no such jöb', metadata }),
    );
    const error = await failure(quickCall(client, PATH, Buffer.alloc(1), soon()));
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'no such jöb' });
    expect(error.metadata.get('x-why')).toEqual(['because']);
  });

  test('ends at its deadline, and the server hears of it', async () => {
    const cancelled = Promise.withResolvers<void>();
    const { client } = await served((call) => call.on('cancelled', () => cancelled.resolve()));
    const error = await failure(quickCall(client, PATH, Buffer.alloc(1), soon(150)));
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    await cancelled.promise;
    const past = await failure(quickCall(client, PATH, Buffer.alloc(1), soon(-1)));
    expect(past.code).toBe(status.DEADLINE_EXCEEDED);
  });

  test('is cancelled by its signal, before and while it runs', async () => {
    const [begun, cancelled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { client } = await served((call) => {
      call.on('cancelled', () => cancelled.resolve());
      begun.resolve();
    });
    const controller = new AbortController();
    const call = failure(quickCall(client, PATH, Buffer.alloc(1), { ...soon(), signal: controller.signal }));
    await begun.promise;
    controller.abort();
    expect((await call).code).toBe(status.CANCELLED);
    await cancelled.promise;
    const late = failure(quickCall(client, PATH, Buffer.alloc(1), { ...soon(), signal: controller.signal }));
    expect((await late).code).toBe(status.CANCELLED);
  });

  test('keeps to the limit of the channel', async () => {
    const { client } = await served((_call, callback) => callback(null, Buffer.alloc(2_000)), {
      'grpc.max_receive_message_length': 1_000,
    });
    const error = await failure(quickCall(client, PATH, Buffer.alloc(1), soon()));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
  });

  test('fails as UNAVAILABLE when the connection breaks under it, and when there is none', async () => {
    const begun = Promise.withResolvers<void>();
    const { client, server } = await served(() => begun.resolve());
    const call = failure(quickCall(client, PATH, Buffer.alloc(1), soon()));
    await begun.promise;
    server.forceShutdown();
    // grpc-js may hear of its streams first, and then says that the call was cancelled.
    expect([status.UNAVAILABLE, status.CANCELLED]).toContain((await call).code);
    client.close();
    expect((await failure(quickCall(client, PATH, Buffer.alloc(1), soon()))).code).toBe(status.UNAVAILABLE);
  });

  test.each<[string, (stream: ServerHttp2Stream) => void, status]>([
    [
      'trailers alone',
      (stream) => stream.respond({ ...HEADERS, 'grpc-status': '7', 'grpc-message': 'no' }, { endStream: true }),
      status.PERMISSION_DENIED,
    ],
    ['a page of HTML', (stream) => stream.respond({ ':status': 503, 'content-type': 'text/html' }), status.UNAVAILABLE],
    ['nothing but a reset', (stream) => stream.close(2), status.INTERNAL],
    ['a stream that is refused', (stream) => stream.close(7), status.UNAVAILABLE],
    ['no status', (stream) => stream.respond(HEADERS, { endStream: true }), status.UNKNOWN],
    ['OK without a message', (stream) => withTrailers(stream, []), status.UNIMPLEMENTED],
    ['two messages', (stream) => withTrailers(stream, [frame(0), frame(0)]), status.UNIMPLEMENTED],
    ['a message that is compressed', (stream) => withTrailers(stream, [frame(1)]), status.INTERNAL],
  ])('of a server that answers %s ends with a code', async (_name, answer, code) => {
    const client = await speaking((stream) => {
      answer(stream);
      if (code === status.UNAVAILABLE && !stream.closed) stream.end('<html>');
    });
    expect((await failure(quickCall(client, PATH, Buffer.alloc(1), soon(5_000)))).code).toBe(code);
  });
});

const frame = (flag: number): Buffer => Buffer.from([flag, 0, 0, 0, 1, 9]);

function withTrailers(stream: ServerHttp2Stream, frames: readonly Buffer[]): void {
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat(frames));
}
