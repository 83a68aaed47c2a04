import { once } from 'node:events';
import { createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { Client, credentials, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { DEPLOYMENT_CHANNEL_OPTIONS } from '../../../src/flyte/routing/connections.ts';
import { afterTheTest } from '../../support/cleanup.ts';
import { ASYNC, type Bytes, bytesOf } from '../support/deployment.ts';
import { admin } from '../support/published.ts';
import { createRequest, deployment, encodeCreate, failure, route, SPARK, startRouted } from '../support/routed.ts';

const cleanup = afterTheTest();

const LIMIT = 64 << 20;
const connect = ({ address }: { address: string }) =>
  new Client(address, credentials.createInsecure(), DEPLOYMENT_CHANNEL_OPTIONS);

/** The message, made as long as that by a field that nobody knows: number 100, bytes. */
function padded(message: Bytes, length: number): Bytes {
  const rest = length - message.length - 2 - 4;
  const size = [0, 7, 14, 21].map((shift) => ((rest >> shift) & 0x7f) | (shift < 21 ? 0x80 : 0));
  return Buffer.concat([message, Buffer.from([0xa2, 0x06, ...size]), Buffer.alloc(rest, 0x61)]);
}

async function start() {
  const a = await deployment('a', cleanup);
  // As long as the callers' own deadline: on a busy machine so large a message takes its time.
  const patienceMs = 200_000;
  const row = a.row({ timeoutsMs: { createTask: patienceMs, getTask: patienceMs } });
  const routed = await startRouted([route([row])], cleanup, { connect });
  const options = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
  const client = new Client(`127.0.0.1:${routed.server.port}`, credentials.createInsecure(), options);
  cleanup(() => client.close());
  const call = (method: 'createTask' | 'getTask', request: Bytes): Promise<Bytes> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = ASYNC[method];
      const deadline = { deadline: Date.now() + patienceMs };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, deadline, (error, bytes) =>
        error === null ? resolve(bytes ?? Buffer.of()) : reject(error),
      );
    });
  return { a, ...routed, call };
}

describe('a message', () => {
  it('of 64 MiB passes both ways, byte for byte, with what routes it on top', async () => {
    const { a, call } = await start();
    const request = padded(encodeCreate(createRequest()), LIMIT);
    const { resourceMeta } = admin.CreateTaskResponse.decode(await call('createTask', request));
    expect(a.requests[0]?.bytes.equals(request)).toBe(true);

    const answer = padded(bytesOf(admin.GetTaskResponse.encode({ resource: { phase: 3 } }).finish()), LIMIT);
    a.getTask = (_call, callback) => callback(null, answer);
    const get = padded(bytesOf(admin.GetTaskRequest.encode({ resourceMeta, ...SPARK }).finish()), LIMIT);
    expect((await call('getTask', get)).equals(answer)).toBe(true);
    expect(a.requests[1]?.bytes.subarray(0, LIMIT).equals(get)).toBe(true);
  });

  it('of more is RESOURCE_EXHAUSTED, whoever sent it, and the next call works', async () => {
    const { a, call } = await start();
    const request = padded(encodeCreate(createRequest()), LIMIT + 1);
    expect((await failure(call('createTask', request))).code).toBe(status.RESOURCE_EXHAUSTED);
    expect(a.requests).toEqual([]);
    const small = a.createTask;
    a.createTask = (_call, callback) => callback(null, Buffer.alloc(LIMIT + 1));
    expect((await failure(call('createTask', encodeCreate(createRequest())))).code).toBe(status.RESOURCE_EXHAUSTED);
    a.createTask = small;
    expect((await call('createTask', encodeCreate(createRequest()))).length).toBeGreaterThan(0);
  });
});

/** Something that takes HTTP/2 and is no gRPC server: what it does with a stream is up to the test. */
async function rudeDeployment(serve: (stream: ServerHttp2Stream, socket: Socket | undefined) => void) {
  const server = createServer();
  let socket: Socket | undefined;
  server.on('connection', (connected: Socket) => {
    socket = connected;
  });
  const sessions = new Set<Http2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    serve(stream, socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { id: 'rude', address, tls: false, generation: 1, weight: 1, draining: false, healthy: true } as const;
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };
const NGHTTP2_CANCEL = 8;
/** RST_STREAM (RFC 9113 §6.4) with CANCEL: what clients see of a connection that broke, if they see anything. */
const resetFrame = (stream: number): Buffer => Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, stream, 0, 0, 0, NGHTTP2_CANCEL]);

describe('a deployment that breaks the connection', () => {
  it('in the middle of a stream ends it with UNAVAILABLE: nobody cancelled', async () => {
    const row = await rudeDeployment((stream, socket) => {
      stream.respond(GRPC);
      // The frame by hand: Node would end the stream properly before it.
      stream.write(Buffer.from([0, 0, 0, 0, 0]), () => socket?.write(resetFrame(stream.id ?? 0)));
    });
    const { published } = await startRouted([route([row])], cleanup, { connect });
    const { path, requestSerialize, responseDeserialize } = ASYNC.getTaskLogs;
    const asked = bytesOf(admin.GetTaskLogsRequest.encode(SPARK).finish());
    const stream = published.client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      asked,
      new Metadata(),
      { deadline: Date.now() + 5_000 },
    );
    stream.on('error', () => undefined);
    let messages = 0;
    stream.on('data', () => {
      messages += 1;
    });
    const { code, details } = await new Promise<StatusObject>((resolve) => stream.on('status', resolve));
    expect([code, messages], details).toEqual([status.UNAVAILABLE, 1]);
  });

  it('instead of an answer is tried again where that does no harm, and never for a new task', async () => {
    let calls = 0;
    const row = await rudeDeployment((stream) => {
      calls += 1;
      if (calls < 4) return stream.close(NGHTTP2_CANCEL);
      stream.respond(GRPC, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 0]));
    });
    const { raw } = await startRouted([route([row])], cleanup, { connect });
    expect((await failure(raw('createTask', encodeCreate(createRequest())))).code).toBe(status.UNAVAILABLE);
    expect(calls).toBe(1);
    const asked = bytesOf(admin.GetTaskRequest.encode({ resourceMeta: Buffer.of(1), ...SPARK }).finish());
    await raw('getTask', asked);
    expect(calls).toBe(4);
  });

  it('or answers garbage is a failure and no crash', async () => {
    const row = await rudeDeployment((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/html' });
      stream.end('<h1>It works!</h1>'.repeat(1_000));
    });
    const { raw } = await startRouted([route([row])], cleanup, { connect });
    const { code } = await failure(raw('createTask', encodeCreate(createRequest())));
    expect([status.OK, status.CANCELLED]).not.toContain(code);
    expect((await failure(raw('createTask', encodeCreate(createRequest({ type: 'x' }))))).code).toBe(status.NOT_FOUND);
  });
});
