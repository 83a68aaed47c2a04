import { describe, expect, it } from 'vitest';
import { egressWith, failure, httpServer, inTurn, names, onAnotherAddress } from './egress-support.ts';

const twin = (port: number) =>
  onAnotherAddress((host) => httpServer((_request, response) => void response.end('twin'), host, port));

/**
 * What calls one after the other take: a request that is made in the same turn as the end of the one before finds its
 * connection still occupied and opens a second one; from then on the two alternate.
 */
const FEW = 2;

describe('DNS rebinding', () => {
  it('after a check: public at registration, loopback at the call', async () => {
    const sentinel = await httpServer();
    const egress = egressWith({
      allow: [],
      resolve: inTurn(['93.184.215.14'], ['127.0.0.1']),
      limits: { dnsTtlMs: 0 },
    });
    const url = `http://rebind.test:${sentinel.port}/`;
    await egress.check(url);
    await failure(egress.fetch(url), 'EGRESS_DENIED', /rebind\.test resolves to 127\.0\.0\.1, a loopback address/);
    expect(sentinel.connections()).toBe(0);
  });

  it('between check and connection: there is no second lookup, and the checked address is the one that is called', async ({
    skip,
  }) => {
    const sentinel = await httpServer();
    const other = await twin(sentinel.port);
    if (other === undefined) return skip('this machine has one loopback address only');
    const resolve = inTurn([other.host], ['127.0.0.1']);
    const egress = egressWith({ allow: [other.host], resolve });
    const url = `http://rebind.test:${sentinel.port}/`;
    for (let n = 0; n < 3; n++) expect((await egress.fetch(url)).text()).toBe('twin');
    expect(resolve.asked).toEqual(['rebind.test']);
    expect(sentinel.connections()).toBe(0);
  });

  it('of a host that is being called: its open connections do not serve the next call', async ({ skip }) => {
    const sentinel = await httpServer();
    const other = await twin(sentinel.port);
    if (other === undefined) return skip('this machine has one loopback address only');
    const egress = egressWith({
      allow: [other.host],
      resolve: inTurn([other.host], ['127.0.0.1']),
      limits: { dnsTtlMs: 0 },
    });
    const url = `http://rebind.test:${sentinel.port}/`;
    expect((await egress.fetch(url)).text()).toBe('twin');
    expect(egress.poolCount).toBe(1);
    await failure(egress.fetch(url), 'EGRESS_DENIED');
    expect(egress.poolCount).toBe(0);
    expect([sentinel.connections(), other.server.requests.length]).toEqual([0, 1]);
  });

  it('with a mixed answer, in either order: the whole host is refused', async () => {
    const sentinel = await httpServer();
    for (const answer of [
      ['93.184.215.14', '127.0.0.1'],
      ['127.0.0.1', '93.184.215.14'],
    ]) {
      const egress = egressWith({ allow: [], resolve: inTurn(answer) });
      await failure(egress.fetch(`http://mix.test:${sentinel.port}/`), 'EGRESS_DENIED');
    }
    expect(sentinel.connections()).toBe(0);
  });

  it('in the middle of a redirect to the same host', async () => {
    const server = await httpServer((_request, response) => void response.writeHead(302, { location: '/next' }).end());
    const egress = egressWith({
      allow: ['127.0.0.1'],
      resolve: inTurn(['127.0.0.1'], ['169.254.169.254']),
      limits: { dnsTtlMs: 0 },
    });
    await failure(egress.fetch(`http://rebind.test:${server.port}/`), 'EGRESS_DENIED', /cloud metadata/);
    expect(server.requests).toHaveLength(1);
  });
});

describe('addresses', () => {
  it('are tried in turn: one that refuses does not hide one that answers', async ({ skip }) => {
    const server = await httpServer(undefined, '::1').catch(() => undefined);
    if (server === undefined) return skip('this machine has no IPv6 loopback');
    const egress = egressWith({ allow: ['two.test'], resolve: names({ 'two.test': ['127.0.0.1', '::1'] }) });
    expect((await egress.fetch(`http://two.test:${server.port}/`)).text()).toBe('ok');
  });

  it('that changed get connections of their own', async ({ skip }) => {
    const first = await httpServer();
    const other = await twin(first.port);
    if (other === undefined) return skip('this machine has one loopback address only');
    const egress = egressWith({
      allow: ['move.test'],
      resolve: inTurn(['127.0.0.1'], [other.host]),
      limits: { dnsTtlMs: 0 },
    });
    const url = `http://move.test:${first.port}/`;
    expect((await egress.fetch(url)).text()).toBe('ok');
    expect((await egress.fetch(url)).text()).toBe('twin');
    expect(egress.poolCount).toBe(1);
  });

  it('that come in another order keep their connections', async () => {
    const server = await httpServer();
    const egress = egressWith({
      allow: ['swap.test'],
      resolve: inTurn(['127.0.0.1', '127.0.0.9'], ['127.0.0.9', '127.0.0.1']),
      limits: { dnsTtlMs: 0 },
    });
    for (let n = 0; n < 20; n++) await egress.fetch(`http://swap.test:${server.port}/`);
    expect(server.connections()).toBeLessThanOrEqual(FEW);
  });
});

describe('a host that is called often', () => {
  it('costs one lookup within the time an answer is kept, and hardly a connection', async () => {
    const server = await httpServer();
    const resolve = names({ 'hot.test': ['127.0.0.1'] });
    const egress = egressWith({ resolve });
    for (let n = 0; n < 50; n++) await egress.fetch(`http://hot.test:${server.port}/${n}`);
    expect([resolve.asked.length, server.requests.length]).toEqual([1, 50]);
    expect(server.connections()).toBeLessThanOrEqual(FEW);
  });

  it('shares one lookup between calls that start together', async () => {
    const server = await httpServer();
    const resolve = names({ 'hot.test': ['127.0.0.1'] });
    const egress = egressWith({ resolve });
    await Promise.all(Array.from({ length: 20 }, () => egress.fetch(`http://hot.test:${server.port}/`)));
    expect(resolve.asked).toHaveLength(1);
  });

  it('is asked for again once the answer is old', async () => {
    const server = await httpServer();
    const resolve = names({ 'hot.test': ['127.0.0.1'] });
    const egress = egressWith({ resolve, limits: { dnsTtlMs: 0 } });
    for (let n = 0; n < 20; n++) await egress.fetch(`http://hot.test:${server.port}/`);
    expect(resolve.asked).toHaveLength(20);
    expect(server.connections()).toBeLessThanOrEqual(FEW);
  });

  it('costs no lookup when it is an address', async () => {
    const server = await httpServer();
    const resolve = names({});
    await egressWith({ resolve }).fetch(server.url);
    expect(resolve.asked).toEqual([]);
  });

  it('is asked for again after a lookup that failed', async () => {
    const server = await httpServer();
    let tries = 0;
    const egress = egressWith({
      resolve: async () => {
        if (tries++ === 0) throw new Error('SERVFAIL');
        return ['127.0.0.1'];
      },
    });
    await failure(egress.fetch(`http://flaky.test:${server.port}/`), 'UPSTREAM_UNREACHABLE');
    expect((await egress.fetch(`http://flaky.test:${server.port}/`)).status).toBe(200);
  });
});

describe('the number of pools', () => {
  it('stays within its bound, the least recently used origin goes, and what runs there still ends well', async () => {
    let release!: () => void;
    const slow = await httpServer((_request, response) => {
      release = () => void response.end('slow but sure');
      arrived();
    });
    let arrived!: () => void;
    const inside = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await httpServer();
    const hosts = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`h${n}.test`, ['127.0.0.1']]));
    const egress = egressWith({ resolve: names(hosts), limits: { maxPools: 3 } });
    const running = egress.fetch(slow.url);
    await inside;
    for (const host of Object.keys(hosts)) await egress.fetch(`http://${host}:${server.port}/`);
    expect(egress.poolCount).toBe(3);
    release();
    expect((await running).text()).toBe('slow but sure');
    await egress.fetch(`http://h5.test:${server.port}/`);
    expect(server.connections()).toBe(6);
    await egress.fetch(`http://h0.test:${server.port}/`);
    expect(server.connections()).toBe(7);
  });
});

describe('checkHost, for clients that connect by themselves', () => {
  it('returns every address, each permitted', async () => {
    const egress = egressWith({
      allow: ['10.0.0.0/8'],
      resolve: names({ 'grpc.test': ['10.0.0.1', '2606:4700::1111', '10.0.0.1'], 'bad.test': ['10.0.0.1', '::1'] }),
    });
    expect(await egress.checkHost('GRPC.test', 443)).toEqual([
      { address: '10.0.0.1', family: 4, port: 443 },
      { address: '2606:4700::1111', family: 6, port: 443 },
    ]);
    expect(await egress.checkHost('[2606:4700:0:0::1111]', 50051)).toEqual([
      { address: '2606:4700::1111', family: 6, port: 50051 },
    ]);
    await failure(egress.checkHost('bad.test', 443), 'EGRESS_DENIED', /::1, a loopback address/);
    await failure(egress.checkHost('0x0a.1', 443), 'INVALID_INPUT');
  });
});
