import { once } from 'node:events';
import { connect } from 'node:net';
import { type ServiceError, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import type { App } from '../../src/app.ts';
import { mintToken } from '../../src/auth/authenticator.ts';
import { addressKey } from '../../src/http/address.ts';
import { RateLimit } from '../../src/http/rate-limit.ts';
import { post, rpc, userMessage } from '../a2a/support.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { JWT_SETTINGS, TEST_SECRET, tokenFor, USER_SCOPES } from '../support/tokens.ts';
import { startWebhook } from '../support/webhook.ts';
import { detailsOf, echoOf, grpcClient, socketClient } from './doors.ts';

const ME = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
const HANDLE = '{ agent(handle: "echo") { id } }';
const SEND = 'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id state } } }';
const CREATE =
  'mutation($input: CreatePushNotificationConfigInput!) { createPushNotificationConfig(input: $input) { key } }';

const cleanup = afterTheTest();

async function start(settings: Record<string, string>): Promise<App> {
  const app = await startTestApp({ ...JWT_SETTINGS, ...settings });
  cleanup(() => app.close());
  return app;
}
const grpcOf = (app: App) => {
  const client = grpcClient(app);
  cleanup(() => client.close());
  return client;
};
const socketOf = (app: App, token?: string) => {
  const socket = socketClient(app, token);
  cleanup(() => socket.client.dispose());
  return socket;
};
const headers = (token: string) => ({ authorization: `Bearer ${token}`, 'a2a-version': '1.0' });
const failureOf = (calling: Promise<unknown>): Promise<ServiceError> =>
  calling.then(
    () => expect.unreachable('the call succeeded'),
    (thrown: unknown) => thrown as ServiceError,
  ) as Promise<ServiceError>;
/** The first error of an operation on a socket. */
const refusalOn = async (socket: ReturnType<typeof socketClient>, query: string): Promise<Record<string, unknown>> => {
  const thrown = await socket.client
    .iterate({ query })
    .next()
    .then(
      (answer) => answer.value?.errors,
      (error: unknown) => error,
    );
  return (thrown as { extensions: Record<string, unknown> }[])[0]!.extensions;
};

describe('the rate limit', () => {
  test('gives a burst of a minute, then what flows back', () => {
    let now = 0;
    const limit = new RateLimit(60, { now: () => now });
    for (let i = 0; i < 60; i++) expect(limit.take('a')).toMatchObject({ allowed: true, remaining: 59 - i });
    expect(limit.take('a')).toEqual({ allowed: false, remaining: 0, retryAfterSeconds: 1, resetSeconds: 60 });
    expect(limit.take('b').allowed).toBe(true);
    now = 999;
    expect(limit.take('a').allowed).toBe(false);
    now = 1_000;
    expect(limit.take('a').allowed).toBe(true);
    limit.spend('a', 10);
    expect(limit.take('a')).toMatchObject({ allowed: false, retryAfterSeconds: 11 });
  });

  test('never allows more than the burst and what flowed back, and says when it will allow again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 }),
        (perMinute, pauses) => {
          let now = 0;
          let allowed = 0;
          const limit = new RateLimit(perMinute, { now: () => now });
          for (const pause of pauses) {
            now += pause;
            const standing = limit.take('x');
            if (standing.allowed) allowed++;
            else {
              now += standing.retryAfterSeconds * 1_000;
              expect(limit.take('x').allowed).toBe(true);
              allowed++;
            }
          }
          expect(allowed).toBeLessThanOrEqual(perMinute + Math.ceil((now * perMinute) / 60_000) + 1);
        },
      ),
    );
  });

  test('remembers a bounded number of callers', () => {
    const limit = new RateLimit(10, { most: 100 });
    for (let i = 0; i < 1_000; i++) limit.take(`caller ${i}`);
    expect(limit.size).toBe(100);
  });

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s counts as %s', (address, key) => expect(addressKey(address)).toBe(key));
});

describe('requests of one caller', () => {
  test('are counted together over every door, and refused in the words of each', async () => {
    const app = await start({ RATE_LIMIT_PER_CALLER: '4', RATE_LIMIT_PER_ADDRESS: '0' });
    const { url } = app.addresses;
    const [me, other] = [await tokenFor(ME), await tokenFor(OTHER)];
    const socket = socketOf(app, me);
    const tenant = (await data(url, HANDLE, {}, me))['agent'].id;
    const second = await ask(url, HANDLE, {}, me);
    expect(second.headers.get('ratelimit-policy')).toBe('"requests";q=4;w=60');
    expect(second.headers.get('ratelimit')).toMatch(/^"requests";r=[012];t=\d+$/);
    // The socket's connection is a request; whichever was first, four have been made after this.
    for await (const answer of socket.client.iterate({ query: HANDLE })) expect(answer.errors).toBeUndefined();

    const graph = await ask(url, HANDLE, {}, me);
    expect(graph.status).toBe(429);
    expect(graph.errors![0]!.extensions).toMatchObject({ code: 'RATE_LIMITED', limit: 'requests', maximum: 4 });
    const wait = graph.errors![0]!.extensions['retryAfterSeconds'];
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(15);
    expect(graph.headers.get('retry-after')).toBe(String(wait));
    expect(graph.headers.get('ratelimit')).toBe(`"requests";r=0;t=${wait}`);

    expect(await refusalOn(socket, HANDLE)).toMatchObject({ code: 'RATE_LIMITED', maximum: 4 });

    const called = await post(`${url}a2a/${tenant}`, rpc('ListTasks'), headers(me));
    expect(called.status).toBe(429);
    expect(called.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(called.body).toMatchObject({
      error: {
        code: -32603,
        data: [
          { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'RATE_LIMITED', metadata: { maximum: '4' } },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: expect.stringMatching(/^\d+s$/) },
        ],
      },
    });
    const card = await fetch(`${url}a2a/${tenant}/.well-known/agent-card.json`, { headers: headers(me) });
    expect([card.status, card.headers.get('content-type')]).toEqual([429, 'application/problem+json; charset=utf-8']);
    expect(await card.json()).toMatchObject({
      code: 'RATE_LIMITED',
      status: 429,
      retryAfterSeconds: expect.any(Number),
    });
    const stream = await fetch(`${url}graphql/stream`, {
      method: 'POST',
      headers: { ...headers(me), accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query: HANDLE }),
    });
    expect(stream.status).toBe(429);

    const grpc = grpcOf(app);
    const error = await failureOf(grpc.call('ListTasks', { tenant }, me));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(detailsOf(error)).toMatchObject([
      { reason: 'RATE_LIMITED' },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: expect.stringMatching(/^\d+s$/) },
    ]);
    expect(await grpc.call('ListTasks', { tenant }, other)).toMatchObject({ pageSize: 50 });
  });

  test('count for their address, wrong tokens tenfold: then not even the token is looked at', async () => {
    const app = await start({ RATE_LIMIT_PER_ADDRESS: '25', RATE_LIMIT_PER_CALLER: '0' });
    const { url } = app.addresses;
    const codes: unknown[] = [];
    for (let i = 0; i < 5; i++) codes.push((await ask(url, HANDLE, {}, 'not.a.token')).errors![0]!.extensions['code']);
    expect(codes).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'RATE_LIMITED', 'RATE_LIMITED']);
    expect((await ask(url, HANDLE, {}, await tokenFor(ME))).status).toBe(429);
  });

  test('are not counted without tokens', async () => {
    const app = await startTestApp();
    cleanup(() => app.close());
    const answer = await ask(app.addresses.url, HANDLE);
    expect([answer.status, answer.headers.get('ratelimit')]).toEqual([200, null]);
  });
});

describe('what one caller has open at the same time', () => {
  test('streams: over every door together; one that ends makes room', async () => {
    const app = await start({ MAX_STREAMS_PER_CALLER: '2' });
    const { url } = app.addresses;
    const me = await tokenFor(ME);
    const tenant = await echoOf(app, me);
    const { sendMessage } = await data(url, SEND, { input: { agentId: tenant, text: 'ask: more?' } }, me);
    const id = sendMessage.task.id;
    const subscribe = () =>
      fetch(`${url}a2a/${tenant}`, {
        method: 'POST',
        headers: { ...headers(me), 'content-type': 'application/json' },
        body: JSON.stringify(rpc('SubscribeToTask', { id })),
      });
    const first = await subscribe();
    expect(first.headers.get('content-type')).toContain('text/event-stream');
    const grpc = grpcOf(app);
    const second = grpc.stream('SubscribeToTask', { tenant, id }, me);
    second.on('error', () => undefined);
    await once(second, 'data');

    const third = await subscribe();
    expect(third.status).toBe(429);
    expect(await third.json()).toMatchObject({
      error: { data: [{ reason: 'RATE_LIMITED', metadata: { limit: 'streams' } }, {}] },
    });
    const refused = grpc.stream('SubscribeToTask', { tenant, id }, me);
    const [error] = (await once(refused, 'error')) as [ServiceError];
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    const socket = socketOf(app, me);
    const watching = 'subscription { tasksChanged { to } }';
    expect(await refusalOn(socket, watching)).toMatchObject({ code: 'RATE_LIMITED', limit: 'streams', maximum: 2 });
    // What is no stream goes on.
    expect((await ask(url, HANDLE, {}, me)).status).toBe(200);
    expect((await ask(url, HANDLE, {}, await tokenFor(OTHER))).status).toBe(200);

    second.cancel();
    await expect
      .poll(async () => {
        const next = await subscribe();
        const { status: answered } = next;
        if (answered === 200) cleanup(() => next.body!.cancel());
        return answered;
      })
      .toBe(200);
    await first.body!.cancel();
  });

  test('sockets: by address until somebody signs in, then by caller', async () => {
    const app = await start({ MAX_SOCKETS_PER_CALLER: '1' });
    const me = await tokenFor(ME);
    const first = socketOf(app, me);
    for await (const answer of first.client.iterate({ query: HANDLE })) expect(answer.errors).toBeUndefined();
    const second = socketOf(app, me);
    expect(await second.ended).toMatchObject({ code: 4429, reason: expect.stringContaining('MAX_SOCKETS_PER_CALLER') });
    const other = socketOf(app, await tokenFor(OTHER));
    for await (const answer of other.client.iterate({ query: HANDLE })) expect(answer.errors).toBeUndefined();

    const address = `${app.addresses.url.replace('http', 'ws')}graphql`;
    const nobody = new WebSocket(address, 'graphql-transport-ws');
    await once(nobody, 'open');
    const another = new WebSocket(address, 'graphql-transport-ws');
    const [error] = await once(another, 'error');
    expect(String(error)).toContain('429');
    nobody.close();
  });

  test('running tasks and push configs', async () => {
    const app = await start({
      MAX_RUNNING_TASKS_PER_CALLER: '1',
      MAX_PUSH_CONFIGS_PER_CALLER: '1',
      EGRESS_ALLOW: '127.0.0.1/32',
    });
    const { url } = app.addresses;
    const me = await tokenFor(ME);
    const agentId = await echoOf(app, me);
    const slow = { agentId, text: 'slow: 30 done', wait: false };
    const { sendMessage } = await data(url, SEND, { input: slow }, me);
    const refused = await ask(url, SEND, { input: { agentId, text: 'hi' } }, me);
    expect(refused.errors![0]!.extensions).toMatchObject({ code: 'RATE_LIMITED', limit: 'running tasks', maximum: 1 });
    expect(
      (await data(url, SEND, { input: { agentId, text: 'hi' } }, await tokenFor(OTHER)))['sendMessage'].task.state,
    ).toBe('COMPLETED');

    const webhook = await startWebhook();
    cleanup(() => webhook.close());
    const taskId = sendMessage.task.id;
    await data(url, CREATE, { input: { taskId, key: 'one', url: webhook.url } }, me);
    const full = await ask(url, CREATE, { input: { taskId, key: 'two', url: webhook.url } }, me);
    expect(full.errors![0]!.extensions).toMatchObject({ code: 'RATE_LIMITED', limit: 'push configs', maximum: 1 });

    await data(url, 'mutation($id: ID!) { cancelTask(input: { id: $id }) { state } }', { id: taskId }, me);
    await expect
      .poll(async () => (await ask(url, SEND, { input: { agentId, text: 'hi' } }, me)).errors)
      .toBeUndefined();
  });
});

describe('a token that expires', () => {
  test('ends sockets and streams cleanly, and each says why', async () => {
    const app = await start({});
    const { url } = app.addresses;
    const lasting = await tokenFor(ME);
    const tenant = await echoOf(app, lasting);
    const { sendMessage } = await data(url, SEND, { input: { agentId: tenant, text: 'ask: more?' } }, lasting);
    const id = sendMessage.task.id;
    // Clocks may differ by 30 s: it is accepted for eight more seconds.
    const me = await mintToken(
      { AUTH_SECRET: TEST_SECRET },
      { subject: ME, scopes: USER_SCOPES, expiresInSeconds: -22 },
    );

    const socket = socketOf(app, me);
    const watching = socket.client.iterate({ query: 'subscription { tasksChanged { to } }' }).next();
    watching.catch(() => undefined);
    const sse = fetch(`${url}graphql/stream`, {
      method: 'POST',
      headers: { ...headers(me), accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'subscription { tasksChanged { to } }' }),
    });
    const a2a = fetch(`${url}a2a/${tenant}`, {
      method: 'POST',
      headers: { ...headers(me), 'content-type': 'application/json' },
      body: JSON.stringify(rpc('SubscribeToTask', { id })),
    });
    const grpc = grpcOf(app).stream('SubscribeToTask', { tenant, id }, me);
    const events: Buffer[] = [];
    grpc.on('data', (event: Buffer) => events.push(event));
    const failed = once(grpc, 'error') as Promise<[ServiceError]>;

    expect(await socket.ended).toMatchObject({ code: 4403, reason: 'token expired' });
    const graphText = await (await sse).text();
    expect(graphText).toContain('UNAUTHENTICATED');
    expect(graphText).toContain('event: complete');
    const a2aText = await (await a2a).text();
    expect(a2aText).toContain('TASK_STATE_INPUT_REQUIRED');
    expect(a2aText).toContain('UNAUTHENTICATED');
    const [error] = await failed;
    expect([error.code, events.length]).toEqual([status.UNAUTHENTICATED, 1]);
    expect((await ask(url, HANDLE, {}, lasting)).status).toBe(200);
  });
});

describe('connections that do nothing', () => {
  test('a socket without an operation is closed, one with an operation is not', async () => {
    const app = await start({ SOCKET_IDLE_SECONDS: '2' });
    const me = await tokenFor(ME);
    const busy = socketOf(app, me);
    const watching = busy.client.iterate({ query: 'subscription { tasksChanged { to } }' });
    const event = watching.next();
    const idle = socketOf(app, me);
    expect(await idle.ended).toMatchObject({ code: 4408 });
    await data(app.addresses.url, SEND, { input: { agentId: await echoOf(app, me), text: 'hi' } }, me);
    expect((await event).value?.data).toMatchObject({ tasksChanged: { to: expect.any(String) } });
    await watching.return?.();
    expect(await busy.ended).toMatchObject({ code: 4408 });
  });

  test('a client that sends its headers byte by byte is cut', async () => {
    const app = await start({});
    const { hostname, port } = new URL(app.addresses.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write('POST /graphql HTTP/1.1\r\nHost: localhost\r\n');
    const drip = setInterval(() => socket.writable && socket.write('x'), 500);
    cleanup(() => clearInterval(drip));
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
  });
});

describe('JSON', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
  const LOAD = 'mutation($input: LoadRecordsInput!) { loadRecords(input: $input) { created } }';

  test('that nests too deeply is refused by every door, however deep it is', async () => {
    const app = await start({});
    const { url } = app.addresses;
    const me = await tokenFor(ME);
    for (const levels of [60, 20_000]) {
      const variables = { input: { records: [nested(levels)], onConflict: 'SKIP' } };
      const body = `{"query":${JSON.stringify(LOAD)},"variables":${toText(variables)}}`;
      for (const path of ['graphql', 'subgraph']) {
        const answer = await fetch(`${url}${path}`, {
          method: 'POST',
          headers: { ...headers(me), 'content-type': 'application/json' },
          body,
        });
        expect(answer.status).toBeLessThan(500);
        expect(await answer.text()).toContain('QUERY_TOO_COMPLEX');
      }
    }
    const agent = await echoOf(app, me);
    const message = { ...userMessage('hi'), metadata: nested(200) };
    const refused = await post(`${url}a2a/${agent}`, rpc('SendMessage', { message }), headers(me));
    expect(refused.body).toMatchObject({ error: { code: -32602 } });
  });

  test('a message on a socket has the size of a body at most', async () => {
    const app = await start({ MAX_BODY_BYTES: '2048' });
    const { client, ended } = socketOf(app, await tokenFor(ME));
    const said = vi.spyOn(console, 'error');
    for await (const answer of client.iterate({ query: HANDLE })) expect(answer.errors).toBeUndefined();
    const sent = client.iterate({ query: `${HANDLE} #${'x'.repeat(4_000)}` }).next();
    sent.catch(() => undefined);
    expect(await ended).toMatchObject({ code: 1009 });
    // What goes wrong on a socket is said in the log, and nowhere beside it.
    expect(said).not.toHaveBeenCalled();
  });

  // A ping is answered with what it holds, and to write what nests too deeply overflows the stack.
  test.each([3_000, 100_000])('a message on a socket that nests %i levels is none', async (levels) => {
    const app = await start({});
    const socket = new WebSocket(`${app.addresses.url.replace('http', 'ws')}graphql`, 'graphql-transport-ws');
    socket.once('message', () =>
      socket.send(`{"type":"ping","payload":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`),
    );
    await once(socket, 'open');
    socket.send(
      JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${await tokenFor(ME)}` } }),
    );
    expect((await once(socket, 'close'))[0]).toBe(4400);
  });
});

/** JSON.stringify would overflow on what these tests send. */
const toText = ({ input: { records, onConflict } }: { input: { records: unknown[]; onConflict: string } }): string => {
  let levels = 0;
  for (
    let value: unknown = records[0];
    typeof value === 'object' && value !== null;
    value = (value as { a: unknown }).a
  )
    levels++;
  return `{"input":{"records":[${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}],"onConflict":"${onConflict}"}}`;
};
