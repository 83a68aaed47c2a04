import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import { connect, createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { connectivityState, ServerCredentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connections, DEPLOYMENT_CHANNEL_OPTIONS } from '../../src/flyte/routing/connections.ts';
import type { FlyteDeployment } from '../../src/flyte/routing/deployments.ts';
import type { Egress } from '../../src/upstream/egress.ts';
import { selfSigned } from './egress-certificate.ts';
import { egressWith, failure, inTurn, listenOn, names, onAnotherAddress, rawServer, track } from './egress-support.ts';
import { echoServer, listenTo, say } from './grpc-support.ts';

const twin = (port: number) => onAnotherAddress((host) => echoServer('twin', { host, port }));

describe('DNS rebinding over gRPC', () => {
  it('after a check: public at registration, loopback at the call', async () => {
    const sentinel = await echoServer();
    const resolve = inTurn(['93.184.215.14'], ['127.0.0.1']);
    const egress = egressWith({ allow: [], resolve, limits: { dnsTtlMs: 0 } });
    await egress.checkGrpc(`grpc://rebind.test:${sentinel.port}`);
    await failure(
      egress.grpc(`grpc://rebind.test:${sentinel.port}`),
      'EGRESS_DENIED',
      /rebind\.test resolves to 127\.0\.0\.1, a loopback address/,
    );
    expect(sentinel.peers).toEqual([]);
  });

  it('between check and connection: grpc asks the checker and never the DNS, so it is refused there', async () => {
    const sentinel = await rawServer(() => undefined);
    const resolve = inTurn(['93.184.215.14'], ['127.0.0.1']);
    const egress = egressWith({ allow: [], resolve, limits: { dnsTtlMs: 0 } });
    const client = await egress.grpcClient(`rebind.test:${sentinel.port}`, { tls: false });
    await expect(say(client)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringMatching(/rebind\.test resolves to 127\.0\.0\.1, a loopback address/),
    });
    expect(sentinel.connections()).toBe(0);
    expect(resolve.asked.length).toBeGreaterThanOrEqual(2);
  });

  it('within the time of one answer: one lookup, and the checked address is the one that is called', async ({
    skip,
  }) => {
    const sentinel = await echoServer();
    const other = await twin(sentinel.port);
    if (other === undefined) return skip('this machine has one loopback address only');
    const resolve = inTurn([other.host], ['127.0.0.1']);
    const egress = egressWith({ allow: [other.host], resolve });
    const address = `grpc://rebind.test:${sentinel.port}`;
    for (let n = 0; n < 3; n++) expect(await say((await egress.grpc(address)).client)).toBe('twin');
    expect(resolve.asked).toEqual(['rebind.test']);
    expect([sentinel.peers.length, new Set(other.server.peers).size]).toEqual([0, 1]);
  });

  it('of a host that is being called: its open connection does not serve the next call', async ({ skip }) => {
    const sentinel = await echoServer();
    const other = await twin(sentinel.port);
    if (other === undefined) return skip('this machine has one loopback address only');
    let now = [other.host];
    const egress = egressWith({ allow: [other.host], resolve: async () => now, limits: { dnsTtlMs: 0 } });
    const address = `grpc://rebind.test:${sentinel.port}`;
    expect(await say((await egress.grpc(address)).client)).toBe('twin');
    expect(egress.grpcChannelCount).toBe(1);
    now = ['127.0.0.1'];
    await failure(egress.grpc(address), 'EGRESS_DENIED');
    expect(egress.grpcChannelCount).toBe(0);
    expect([sentinel.peers.length, other.server.peers.length]).toEqual([0, 1]);
  });

  it('of a client that somebody holds: a call checks the name on the side, and then nothing goes out', async ({
    skip,
  }) => {
    const sentinel = await echoServer();
    const other = await twin(sentinel.port);
    if (other === undefined) return skip('this machine has one loopback address only');
    let now = [other.host];
    const egress = egressWith({ allow: [other.host], resolve: async () => now, limits: { dnsTtlMs: 0 } });
    const client = await egress.grpcClient(`held.test:${sentinel.port}`, { tls: false });
    expect(await say(client)).toBe('twin');
    const { ended, stream } = await listenTo(client);
    now = ['127.0.0.1'];
    // This one may still go out on the old connection; it is what makes the door look.
    await say(client).catch(() => undefined);
    await expect(say(client)).rejects.toMatchObject({ details: expect.stringMatching(/EGRESS_ALLOW/) });
    expect(sentinel.peers).toEqual([]);
    // What ran was connected to a checked address, and goes on there.
    expect(other.server.open.size).toBe(1);
    stream.cancel();
    await ended;
    // And once the name is back, so is the client.
    now = [other.host];
    await expect.poll(() => say(client).catch(() => 'not yet')).toBe('twin');
  });

  it('with a mixed answer, in either order: the whole host is refused', async () => {
    const sentinel = await echoServer();
    for (const answer of [
      ['93.184.215.14', '127.0.0.1'],
      ['127.0.0.1', '93.184.215.14'],
    ]) {
      const egress = egressWith({ allow: [], resolve: inTurn(answer) });
      await failure(egress.grpc(`grpc://mix.test:${sentinel.port}`), 'EGRESS_DENIED');
    }
    expect(sentinel.peers).toEqual([]);
  });
});

describe('gRPC channels', () => {
  it('are shared by calls to one server, and move with its addresses while running calls end where they began', async ({
    skip,
  }) => {
    const first = await echoServer();
    const other = await twin(first.port);
    if (other === undefined) return skip('this machine has one loopback address only');
    let now = ['127.0.0.1'];
    const egress = egressWith({ allow: ['move.test'], resolve: async () => now, limits: { dnsTtlMs: 0 } });
    const address = `grpc://move.test:${first.port}`;
    await Promise.all(Array.from({ length: 20 }, async () => say((await egress.grpc(address)).client)));
    expect(new Set(first.peers).size).toBe(1);
    const running = await listenTo((await egress.grpc(address)).client);
    now = [other.host];
    expect(await say((await egress.grpc(address)).client)).toBe('twin');
    expect(egress.grpcChannelCount).toBe(1);
    for (const stream of first.open) stream.end();
    expect(await running.ended).toBeUndefined();
  });

  it('try the addresses in turn: one that refuses does not hide one that answers', async ({ skip }) => {
    const server = await echoServer('ok', { host: '::1' }).catch(() => undefined);
    if (server === undefined) return skip('this machine has no IPv6 loopback');
    const egress = egressWith({ allow: ['two.test'], resolve: names({ 'two.test': ['127.0.0.1', '::1'] }) });
    expect(await say((await egress.grpc(`grpc://two.test:${server.port}`)).client)).toBe('ok');
  });

  it('stay within their number; the least recently used one goes, and what runs there goes on', async () => {
    const server = await echoServer();
    const hosts = ['a.test', 'b.test', 'c.test'];
    const egress = egressWith({
      resolve: names(Object.fromEntries(hosts.map((host) => [host, ['127.0.0.1']]))),
      limits: { maxPools: 2 },
    });
    const running = await listenTo((await egress.grpc(`grpc://a.test:${server.port}`)).client);
    for (const host of hosts.slice(1)) await say((await egress.grpc(`grpc://${host}:${server.port}`)).client);
    expect(egress.grpcChannelCount).toBe(2);
    for (const stream of server.open) stream.end();
    expect(await running.ended).toBeUndefined();
  });

  it('give up a server that takes no connection, in time and with a name', async () => {
    // Accepts, and says nothing of HTTP/2.
    const silent = createTcpServer(() => undefined);
    track(silent);
    const port = await listenOn(silent);
    const egress = egressWith({ limits: { connectTimeoutMs: 200 } });
    await failure(
      egress.grpc(`127.0.0.1:${port}`),
      'UPSTREAM_TIMEOUT',
      /^127\.0\.0\.1:\d+ did not accept a connection/,
    );
    const controller = new AbortController();
    const call = egressWith().grpc(`127.0.0.1:${port}`, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it('come back by themselves after their server was away', async () => {
    const server = await echoServer();
    const egress = egressWith();
    const address = `127.0.0.1:${server.port}`;
    expect(await say((await egress.grpc(address)).client)).toBe('ok');
    server.server.forceShutdown();
    await expect.poll(async () => say((await egress.grpc(address)).client).catch(() => 'away')).toBe('away');
    await echoServer('back', { port: server.port });
    await expect.poll(async () => say((await egress.grpc(address)).client).catch(() => 'away')).toBe('back');
  });

  it('end with the door: what runs hears of it, and nothing new is opened', async () => {
    const server = await echoServer();
    const egress = egressWith();
    const address = `127.0.0.1:${server.port}`;
    const { client, closing } = await egress.grpc(address);
    const held = await egress.grpcClient(address);
    expect(await Promise.all([say(client), say(held)])).toEqual(['ok', 'ok']);
    const heard = once(closing, 'abort');
    await egress.close();
    await heard;
    expect(closing.reason).toMatchObject({ code: 'SHUTTING_DOWN' });
    await failure(egress.grpc(address), 'SHUTTING_DOWN');
    await failure(egress.grpcClient(address), 'SHUTTING_DOWN');
    expect(held.getChannel().getConnectivityState(true)).toBe(connectivityState.SHUTDOWN);
  });

  it('are closed when nobody used them for a while', async () => {
    const server = await echoServer();
    // A relay, to see when the connection ends.
    const relay = createTcpServer((socket) => {
      const onward = connect(server.port, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      onward.on('error', () => socket.destroy());
    });
    const { open } = track(relay);
    const port = await listenOn(relay);
    const egress = egressWith({ limits: { grpcIdleMs: 1_000 } });
    expect(await say((await egress.grpc(`127.0.0.1:${port}`)).client)).toBe('ok');
    expect(open()).toBe(1);
    await expect.poll(open, { timeout: 60_000, interval: 200 }).toBe(0);
    expect(await say((await egress.grpc(`127.0.0.1:${port}`)).client)).toBe('ok');
  });
});

describe('the connections of Flyte deployments', () => {
  const deployment = (address: string) => ({ id: address, address, tls: false }) as FlyteDeployment;
  const connectionsOver = (egress: Egress) =>
    new Connections(
      ({ address, tls }) => egress.grpcClient(address, { tls, channel: DEPLOYMENT_CHANNEL_OPTIONS }),
      100,
    );
  const { signal } = new AbortController();

  it('are opened through the door, and refused there', async () => {
    const server = await echoServer();
    const resolve = names({ 'flyte.test': ['127.0.0.1'] });
    const allowed = connectionsOver(egressWith({ resolve }));
    const use = await allowed.use(deployment(`flyte.test:${server.port}`), Date.now() + 5_000, signal);
    expect(await say(use.client)).toBe('ok');
    expect(server.authorities).toEqual([`flyte.test:${server.port}`]);
    use.release();
    allowed.retain(new Set());
    const denied = connectionsOver(egressWith({ allow: [], resolve }));
    const asked = () => denied.use(deployment(`flyte.test:${server.port}`), Date.now() + 5_000, signal);
    await failure(asked(), 'EGRESS_DENIED', /flyte\.test resolves to 127\.0\.0\.1/);
    await failure(asked(), 'EGRESS_DENIED');
    expect(server.peers).toHaveLength(1);
    await failure(allowed.use(deployment('127.0.0.1:9'), Date.now() + 5_000, signal), 'UPSTREAM_UNREACHABLE');
  });
});

const trusted = selfSigned(['agent.test']);
const stranger = selfSigned(['agent.test']);

describe('TLS to a pinned gRPC server', () => {
  const before = getCACertificates('default');
  beforeAll(() => setDefaultCACertificates([...before, trusted.cert]));
  afterAll(() => setDefaultCACertificates(before));

  const secure = ({ key, cert }: { key: string; cert: string }) =>
    echoServer('safe', {
      credentials: ServerCredentials.createSsl(null, [
        { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) },
      ]),
    });
  const egressTo = (host: string) => egressWith({ resolve: names({ [host]: ['127.0.0.1'] }) });
  const sayTo = async (host: string, port: number, scheme = 'grpcs') =>
    say((await egressTo(host).grpc(`${scheme}://${host}:${port}`)).client);

  it('keeps the host name for the certificate and for :authority, with shared and with held clients', async () => {
    const server = await secure(trusted);
    expect(await sayTo('agent.test', server.port)).toBe('safe');
    expect(await sayTo('agent.test', server.port, 'https')).toBe('safe');
    const held = await egressTo('agent.test').grpcClient(`agent.test:${server.port}`, { tls: true });
    expect(await say(held)).toBe('safe');
    expect(new Set(server.authorities)).toEqual(new Set([`agent.test:${server.port}`]));
  });

  it('sends the host name as SNI, and speaks h2', async () => {
    const seen: unknown[] = [];
    const server = createSecureServer(trusted);
    server.on('stream', (stream, headers) => {
      const socket = stream.session?.socket as TLSSocket & { servername?: string };
      seen.push([socket.servername, socket.alpnProtocol, headers[':authority']]);
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true });
    });
    track(server as never);
    const port = await listenOn(server as never);
    await expect(sayTo('agent.test', port)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    expect(seen).toEqual([['agent.test', 'h2', `agent.test:${port}`]]);
  });

  it('refuses a certificate for another name, one that nobody vouches for, and a server without TLS', async () => {
    const server = await secure(trusted);
    await expect(sayTo('other.test', server.port)).rejects.toMatchObject({
      details: expect.stringMatching(/altnames/),
    });
    const unknown = await secure(stranger);
    await expect(sayTo('agent.test', unknown.port)).rejects.toMatchObject({
      details: expect.stringMatching(/certificate/),
    });
    const plain = await echoServer();
    await expect(sayTo('agent.test', plain.port)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect([server.peers, unknown.peers, plain.peers]).toEqual([[], [], []]);
  });
});
