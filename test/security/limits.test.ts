import { once } from 'node:events';
import { type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { post, rpc } from '../a2a/support.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { tokenFor } from '../support/tokens.ts';
import { startWebhook } from '../support/webhook.ts';
import { detailsOf, echoOf, socketClient } from './doors.ts';
import { HANDLE, headers, limitedServers, ME, OTHER, SEND } from './support/limited.ts';

const CREATE =
  'mutation($input: CreatePushNotificationConfigInput!) { createPushNotificationConfig(input: $input) { key } }';

const { cleanup, start, grpcOf, socketOf } = limitedServers();

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
    const other = await tokenFor(OTHER);
    expect((await data(url, SEND, { input: { agentId, text: 'hi' } }, other))['sendMessage'].task.state).toBe(
      'COMPLETED',
    );

    const webhook = await startWebhook();
    cleanup(() => webhook.close());
    const taskId = sendMessage.task.id;
    await data(url, CREATE, { input: { taskId, key: 'one', url: webhook.url } }, me);
    const full = await ask(url, CREATE, { input: { taskId, key: 'two', url: webhook.url } }, me);
    expect(full.errors![0]!.extensions).toMatchObject({ code: 'RATE_LIMITED', limit: 'push configs', maximum: 1 });
    // Somebody else's are counted apart.
    const theirs = (await data(url, SEND, { input: { agentId, text: 'ask: more?' } }, other))['sendMessage'].task.id;
    expect((await ask(url, CREATE, { input: { taskId: theirs, url: webhook.url } }, other)).errors).toBeUndefined();

    await data(url, 'mutation($id: ID!) { cancelTask(input: { id: $id }) { state } }', { id: taskId }, me);
    await expect
      .poll(async () => (await ask(url, SEND, { input: { agentId, text: 'hi' } }, me)).errors)
      .toBeUndefined();
  });
});
