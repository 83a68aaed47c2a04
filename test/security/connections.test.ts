import { once } from 'node:events';
import { connect } from 'node:net';
import { type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { mintToken } from '../../src/auth/authenticator.ts';
import { rpc } from '../a2a/support.ts';
import { ask, data } from '../support/app.ts';
import { TEST_SECRET, tokenFor, USER_SCOPES } from '../support/tokens.ts';
import { echoOf } from './doors.ts';
import { HANDLE, headers, limitedServers, ME, SEND } from './support/limited.ts';

const { cleanup, start, grpcOf, socketOf } = limitedServers();

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
