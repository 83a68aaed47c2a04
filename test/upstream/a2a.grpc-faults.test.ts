import { createServer as createHttp2Server } from 'node:http2';
import { setTimeout as busy } from 'node:timers/promises';
import { Metadata, type ServerOptions, type ServerWritableStream, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { GRPC_METHODS, writeStatus } from '../../src/protocol/a2a/protobuf.ts';
import { callStreaming, callUnary, type GrpcCall } from '../../src/upstream/a2a/grpc-calls.ts';
import type { Egress } from '../../src/upstream/egress.ts';
import { egressWith, failure, httpServer, listenOn, rawServer, track } from './egress-support.ts';
import { call, executors, send, target, text } from './executor-support.ts';
import { bind, method, type Streaming, type Unary } from './grpc-support.ts';

const METHODS = ['SendMessage', 'SendStreamingMessage', 'GetTask', 'CancelTask', 'SubscribeToTask'] as const;
type Method = (typeof METHODS)[number];

/** An agent of few words on grpc-js: what a test scripts it does, and every other method does not exist. */
async function scriptedAgent(script: { readonly [M in Method]?: Unary | Streaming }, options: ServerOptions = {}) {
  const calls: string[] = [];
  const { server, port } = await bind(
    Object.fromEntries(
      METHODS.filter((name) => script[name]).map((name) => {
        const { path, streaming } = GRPC_METHODS.get(name)!;
        return [name, method(path, streaming)];
      }),
    ),
    Object.fromEntries(
      METHODS.filter((name) => script[name]).map((name) => [
        name,
        (...all: unknown[]) => {
          calls.push(name);
          (script[name] as unknown as (...all: unknown[]) => void)(...all);
        },
      ]),
    ) as never,
    { options },
  );
  return { server, port, calls, address: `127.0.0.1:${port}` };
}

const encode = (name: Method, value: unknown): Buffer => Buffer.from(GRPC_METHODS.get(name)!.writeAnswer(value));
const task = (state: string, more: object = {}) => ({ id: 't1', contextId: 'c1', status: { state }, ...more });
const event = (value: object): Buffer => encode('SendStreamingMessage', value);
const answerTask =
  (state: string): Unary =>
  (_call, answer) =>
    answer(null, encode('GetTask', task(state)));

const at = (address: string, streaming = false) =>
  target({
    streaming,
    interfaces: [{ url: address, binding: 'GRPC', protocolVersion: '1.0', dialect: '1.0' }],
  });
const statesOf = (events: Awaited<ReturnType<typeof send>>) => events.map((it) => it.task?.status.state);

describe('an agent over gRPC that', () => {
  it('says that it streams and has no such method is asked the other way', async () => {
    const agent = await scriptedAgent({
      SendMessage: (_call: Parameters<Unary>[0], answer: Parameters<Unary>[1]) =>
        answer(null, encode('SendMessage', { task: task('TASK_STATE_WORKING') })),
      GetTask: answerTask('TASK_STATE_COMPLETED'),
    });
    expect(statesOf(await send(executors(), at(agent.address, true)))).toEqual(['working', 'completed']);
    const followed = executors().forAgent(at(agent.address, true).agent);
    const states = [];
    for await (const it of followed.resubscribe(at(agent.address, true), 't1', call())) {
      states.push(it.task?.status.state);
    }
    expect(states).toEqual(['completed']);
  });

  it('dies in the middle of a stream is asked for the task once it is back', async () => {
    const agent = await scriptedAgent({
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) => {
        stream.write(event({ task: task('TASK_STATE_WORKING') }), () =>
          setImmediate(() => agent.server.forceShutdown()),
        );
      },
    });
    const sending = send(executors({ timing: { first: 5, longest: 20, patience: 20_000 } }), at(agent.address, true));
    await expect.poll(() => agent.calls).toEqual(['SendStreamingMessage']);
    const { path } = GRPC_METHODS.get('GetTask')!;
    const again = async () =>
      bind(
        { GetTask: method(path, false) },
        { GetTask: answerTask('TASK_STATE_COMPLETED') as never },
        { port: agent.port },
      );
    await expect
      .poll(() =>
        again().then(
          () => 'back',
          () => 'port still taken',
        ),
      )
      .toBe('back');
    expect(statesOf(await sending)).toEqual(['working', 'completed']);
  });

  it('ends its stream too early is asked on, and one that ends before its first event has said nothing', async () => {
    const early = await scriptedAgent({
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) => {
        stream.write(event({ task: task('TASK_STATE_WORKING') }));
        stream.end();
      },
      GetTask: answerTask('TASK_STATE_COMPLETED'),
    });
    expect(statesOf(await send(executors(), at(early.address, true)))).toEqual(['working', 'completed']);
    const silent = await scriptedAgent({
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) => stream.end(),
    });
    await failure(send(executors(), at(silent.address, true)), 'UPSTREAM_INVALID', /ended without a task/);
  });

  it('goes on after the end is not heard any more', async () => {
    let cancelled!: () => void;
    const hungUp = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    const agent = await scriptedAgent({
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) => {
        stream.on('cancelled', cancelled);
        stream.write(event({ task: task('TASK_STATE_COMPLETED') }));
        stream.write(event({ task: task('TASK_STATE_WORKING') }));
      },
    });
    expect(statesOf(await send(executors(), at(agent.address, true)))).toEqual(['completed']);
    await hungUp;
  });

  it('says what only a later version knows is followed all the same', async () => {
    // In the bytes of a status, a state beyond the last one that is defined.
    const dancing = Buffer.from(
      event({ task: task('TASK_STATE_WORKING') })
        .toString('latin1')
        .replace(/\x08\x02/, '\x08\x63'),
      'latin1',
    );
    const agent = await scriptedAgent({
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) => {
        stream.write(dancing);
        // An event without any of the members that are defined.
        stream.write(Buffer.alloc(0));
        stream.write(event({ task: task('TASK_STATE_COMPLETED') }));
        stream.end();
      },
    });
    expect(statesOf(await send(executors(), at(agent.address, true)))).toEqual(['unknown', 'completed']);
  });

  it.each([
    ['garbage', Buffer.from([0xff, 0xff, 0xff, 1, 2, 3]), /answered with bytes that \/lf\.a2a\.v1\.A2AService\//],
    ['nothing at all', Buffer.alloc(0), /answer is not valid|ended without a task/],
    ['a task without an id', event({ task: { status: { state: 'TASK_STATE_COMPLETED' } } }), /task\.id/],
  ])('answers %s fails the call clearly', async (_what, sent, message) => {
    const agent = await scriptedAgent({
      SendMessage: (_call: Parameters<Unary>[0], answer: Parameters<Unary>[1]) => answer(null, sent),
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) => {
        stream.write(sent);
        stream.end();
      },
    });
    for (const streaming of [false, true]) {
      await failure(send(executors(), at(agent.address, streaming)), 'UPSTREAM_INVALID', message);
    }
  });

  it('sends more than is accepted is cut off', async () => {
    const huge = encode('SendMessage', {
      message: { messageId: 'm', role: 'ROLE_AGENT', parts: [{ text: 'x'.repeat(70_000) }] },
    });
    const agent = await scriptedAgent({
      SendMessage: (_call: Parameters<Unary>[0], answer: Parameters<Unary>[1]) => answer(null, huge),
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) => void stream.write(huge),
    });
    const egress = egressWith({ limits: { maxBytes: 64 * 1024 } });
    for (const streaming of [false, true]) {
      await failure(
        send(executors({ egress }), at(agent.address, streaming)),
        'PAYLOAD_TOO_LARGE',
        /^127\.0\.0\.1:\d+ .*larger/,
      );
    }
  });

  it('takes less than it is sent says so', async () => {
    const silent: Unary = () => undefined;
    const limited = { 'grpc.max_receive_message_length': 1_024 };
    const agent = await scriptedAgent({ SendMessage: silent }, limited);
    const { message } = text('x'.repeat(2_000));
    await failure(send(executors(), at(agent.address), { message }), 'PAYLOAD_TOO_LARGE', /larger/);
    expect(agent.calls).toEqual([]);
  });

  it.each([
    [status.UNAVAILABLE, 'busy', 'UPSTREAM_UNREACHABLE', /busy/],
    [status.DEADLINE_EXCEEDED, 'slow', 'UPSTREAM_TIMEOUT', /slow/],
    [status.INTERNAL, 'boom', 'UPSTREAM_INVALID', /boom/],
    [status.UNKNOWN, 'ouch', 'UPSTREAM_INVALID', /ouch/],
    [status.INVALID_ARGUMENT, 'bad part', 'INVALID_INPUT', /bad part/],
    [status.RESOURCE_EXHAUSTED, 'quota', 'RATE_LIMITED', /quota/],
    [status.PERMISSION_DENIED, 'no', 'UPSTREAM_UNAUTHORIZED', /refused the credentials.*PERMISSION_DENIED/],
    [status.UNAUTHENTICATED, 'who', 'UPSTREAM_UNAUTHORIZED', /refused the credentials.*UNAUTHENTICATED/],
    [status.CANCELLED, 'stopped', 'UPSTREAM_UNREACHABLE', /broke off/],
  ] as const)('fails with status %i (%s) fails the call as %s', async (code, details, expected, message) => {
    const agent = await scriptedAgent({
      SendMessage: (_call: Parameters<Unary>[0], answer: Parameters<Unary>[1]) => answer({ code, details }),
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) =>
        void stream.emit('error', { code, details }),
    });
    for (const streaming of [false, true]) {
      await failure(send(executors(), at(agent.address, streaming)), expected, message);
    }
  });

  it('gives a reason of A2A is believed before its status, whatever else it adds', async () => {
    const metadata = new Metadata();
    const info = {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'CONTENT_TYPE_NOT_SUPPORTED',
      domain: 'a2a-protocol.org',
    };
    const known = Buffer.from(writeStatus({ code: 7, message: 'no', details: [info] } as never));
    // google.rpc.Status.details (field 3): an Any of a type that nobody here knows.
    const unknown = Buffer.from('\x1a\x0a\x0a\x05x/y.Z\x12\x01\x01', 'latin1');
    metadata.set('grpc-status-details-bin', Buffer.concat([known, unknown]));
    const refusing = (details: Metadata) =>
      scriptedAgent({
        SendMessage: (_call: Parameters<Unary>[0], answer: Parameters<Unary>[1]) =>
          answer({ code: status.PERMISSION_DENIED, details: 'no', metadata: details }),
      });
    const agent = await refusing(metadata);
    await failure(send(executors(), at(agent.address)), 'CONTENT_TYPE_NOT_SUPPORTED', /no/);
    const garbled = new Metadata();
    garbled.set('grpc-status-details-bin', Buffer.from([0xff, 0xff]));
    await failure(send(executors(), at((await refusing(garbled)).address)), 'UPSTREAM_UNAUTHORIZED');
  });

  it('hangs is left by its caller, and hears of it', async () => {
    for (const streaming of [false, true]) {
      let heard!: () => void;
      const hungUp = new Promise<void>((resolve) => {
        heard = resolve;
      });
      const hang = (incoming: { on(name: 'cancelled', then: () => void): void }): void =>
        incoming.on('cancelled', heard);
      const agent = await scriptedAgent({ SendMessage: hang as never, SendStreamingMessage: hang as never });
      const to = at(agent.address, streaming);
      const controller = new AbortController();
      const events = executors().forAgent(to.agent).send(to, text('hi'), { signal: controller.signal });
      const first = events[Symbol.asyncIterator]().next();
      await expect.poll(() => agent.calls.length).toBe(1);
      const reason = new Error('enough');
      controller.abort(reason);
      await expect(first).rejects.toBe(reason);
      await hungUp;
    }
  });

  it('hangs is left when the server shuts down', async () => {
    const agent = await scriptedAgent({ SendMessage: (() => undefined) as never });
    const egress: Egress = egressWith();
    const sending = send(executors({ egress }), at(agent.address));
    await expect.poll(() => agent.calls.length).toBe(1);
    await egress.close();
    await failure(sending, 'SHUTTING_DOWN');
  });
});

describe('time', () => {
  const METADATA = new Metadata();
  const given = async (address: string, name: Method, timeoutMs: number): Promise<GrpcCall> => ({
    ...(await egressWith().grpc(address)),
    authority: address,
    path: GRPC_METHODS.get(name)!.path,
    bytes: Buffer.alloc(0),
    metadata: METADATA,
    timeoutMs,
    signal: new AbortController().signal,
  });

  it('ends a call that is not answered, and a stream that fell silent', async () => {
    const cancelled: string[] = [];
    const agent = await scriptedAgent({
      SendMessage: ((incoming: { on(name: 'cancelled', then: () => void): void }) =>
        incoming.on('cancelled', () => cancelled.push('call'))) as never,
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) => {
        stream.on('cancelled', () => cancelled.push('stream'));
        stream.write(Buffer.from('one'));
      },
    });
    await failure(
      callUnary(await given(agent.address, 'SendMessage', 1_000)),
      'UPSTREAM_TIMEOUT',
      /^127\.0\.0\.1:\d+ sent nothing for 1000 ms\.$/,
    );
    const got: string[] = [];
    const reading = (async () => {
      for await (const bytes of callStreaming(await given(agent.address, 'SendStreamingMessage', 1_000))) {
        got.push(String(bytes));
      }
    })();
    await failure(reading, 'UPSTREAM_TIMEOUT', /sent nothing for 1000 ms/);
    expect(got).toEqual(['one']);
    await expect.poll(() => cancelled).toEqual(['call', 'stream']);
  });

  it('does not run while a reader of a stream is busy', async () => {
    const agent = await scriptedAgent({
      SendStreamingMessage: (stream: ServerWritableStream<Buffer, Buffer>) => {
        stream.write(Buffer.from('one'));
        stream.write(Buffer.from('two'));
        stream.end();
      },
    });
    const got: string[] = [];
    for await (const bytes of callStreaming(await given(agent.address, 'SendStreamingMessage', 1_000))) {
      got.push(String(bytes));
      // A reader at work for longer.
      await busy(1_500);
    }
    expect(got).toEqual(['one', 'two']);
  });
});

describe('what is no gRPC agent', () => {
  it('is said to be so', async () => {
    const nobody = await httpServer();
    const all = executors({ egress: egressWith({ limits: { connectTimeoutMs: 2_000 } }) });
    await failure(send(all, at(`127.0.0.1:${nobody.port}`)), 'UPSTREAM_UNREACHABLE', /does not speak gRPC there/);
    const tls = await rawServer((socket) => socket.end('no TLS here\n'));
    await failure(
      send(all, at(`grpcs://127.0.0.1:${tls.port}`)),
      'UPSTREAM_UNREACHABLE',
      /^Agent agent-one: 127\.0\.0\.1:\d+ cannot be reached/,
    );
    await failure(
      send(all, at('127.0.0.1:9')),
      'UPSTREAM_UNREACHABLE',
      /^Agent agent-one: 127\.0\.0\.1:9 refused the connection/,
    );
    await failure(send(all, at('10.9.9.9:50051')), 'EGRESS_DENIED', /EGRESS_ALLOW/);
    await failure(
      send(all, at('grpc://nowhere.test:50051')),
      'UPSTREAM_UNREACHABLE',
      /nowhere\.test cannot be resolved/,
    );
    await failure(send(all, at('user@127.0.0.1:9')), 'AGENT_NOT_REACHABLE', /GRPC of 1\.0/);
  });

  it.each([
    [404, 'UPSTREAM_INVALID', /no gRPC/],
    [401, 'UPSTREAM_UNAUTHORIZED', /refused the credentials/],
    [403, 'UPSTREAM_UNAUTHORIZED', /refused the credentials/],
    [503, 'UPSTREAM_UNREACHABLE', /503/],
  ] as const)('but answers HTTP/2 with %i fails as %s', async (code, expected, message) => {
    const server = createHttp2Server();
    server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      stream.respond({ ':status': code, 'content-type': 'text/html' });
      stream.end('<html>');
    });
    track(server as never);
    const port = await listenOn(server as never);
    for (const streaming of [false, true]) {
      await failure(send(executors(), at(`127.0.0.1:${port}`, streaming)), expected, message);
    }
  });

  it('is left in peace after some tries', async () => {
    const all = executors({ breaker: { failures: 2, restMs: 60_000 } });
    for (let n = 0; n < 2; n++) await failure(send(all, at('127.0.0.1:9')), 'UPSTREAM_UNREACHABLE', /refused/);
    await failure(send(all, at('127.0.0.1:9')), 'UPSTREAM_UNREACHABLE', /was not asked: 2 messages in a row/);
  });
});
