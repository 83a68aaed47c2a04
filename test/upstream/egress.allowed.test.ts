import { describe, expect, it } from 'vitest';
import { createEgress, LOOPBACK_ENTRIES } from '../../src/upstream/egress.ts';
import { egressWith, failure, httpServer, names } from './egress-support.ts';

const RESOLVED = {
  'agent.test': ['127.0.0.1'],
  'both.test': ['::1', '127.0.0.1'],
  under_score: ['127.0.0.1'],
  'xn--mller-kva.test': ['127.0.0.1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  localhost: ['127.0.0.1', '::1'],
};

interface Allowed {
  readonly title: string;
  readonly url: string;
  readonly allow: readonly string[];
}
const ok = (title: string, url: string, ...allow: string[]): Allowed => ({ title, url, allow });

const ALLOWED: readonly Allowed[] = [
  ok('an address', 'http://127.0.0.1:{port}/', '127.0.0.1'),
  ok('an address with its prefix', 'http://127.0.0.1:{port}/', '127.0.0.1/32'),
  ok('a block', 'http://127.0.0.1:{port}/', '127.0.0.0/8'),
  ok('a block of odd length', 'http://127.0.0.1:{port}/', '126.0.0.0/7'),
  ok('everything in IPv4', 'http://127.0.0.1:{port}/', '0.0.0.0/0'),
  ok('an IPv6 address', 'http://[::1]:{port}/', '::1'),
  ok('an IPv6 address in brackets', 'http://[::1]:{port}/', '[::1]'),
  ok('an IPv6 block', 'http://[::1]:{port}/', '::/64'),
  ok('an IPv6 address written at length', 'http://[0:0:0:0:0:0:0:1]:{port}/', '0:0:0:0:0:0:0:1/128'),
  ok('an IPv4-mapped address by an entry of its own', 'http://[::ffff:127.0.0.1]:{port}/', '::ffff:127.0.0.1'),
  ok('an IPv4-mapped block by an entry of its own', 'http://[::ffff:7f00:1]:{port}/', '::ffff:127.0.0.0/104'),
  ok('a host name', 'http://agent.test:{port}/', 'agent.test'),
  ok('a host name in capitals', 'http://Agent.TEST:{port}/', 'AGENT.test'),
  ok('a host name through its address', 'http://agent.test:{port}/', '127.0.0.1/32'),
  ok('a host name that resolves to both families', 'http://both.test:{port}/', 'both.test'),
  ok('both families of a host name by addresses', 'http://both.test:{port}/', '127.0.0.0/8', '::1/128'),
  ok('a host name that resolves to a mapped address', 'http://mapped.test:{port}/', 'mapped.test'),
  ok('a container name with an underscore', 'http://under_score:{port}/', 'under_score'),
  ok('an international name in its ASCII form', 'http://xn--mller-kva.test:{port}/', 'xn--mller-kva.test'),
  ok('localhost by name', 'http://localhost:{port}/', 'localhost'),
  ok('loopback by the entries for it', 'http://localhost:{port}/', ...LOOPBACK_ENTRIES),
  ok('a scheme in capitals, a query and a fragment', 'HTTP://127.0.0.1:{port}/?a=b#c', '127.0.0.1'),
  ok('a URL without a path', 'http://127.0.0.1:{port}', '127.0.0.1'),
  ok('an encoded path with odd characters', 'http://127.0.0.1:{port}/a%20b/ü;x=1/@:?q=http://10.0.0.1/', '127.0.0.1'),
];

describe('what EGRESS_ALLOW lists is reached', () => {
  it.for(ALLOWED)('$title: $url', async ({ url, allow }, { skip }) => {
    const v4 = await httpServer();
    const v6 = await httpServer(undefined, '::1', v4.port).catch(() => undefined);
    if (v6 === undefined && /\[[0:]*1\]/.test(url)) return skip('this machine has no IPv6 loopback');
    const egress = egressWith({ allow, resolve: names(RESOLVED) });
    const raw = url.replaceAll('{port}', String(v4.port));
    await egress.check(raw);
    const response = await egress.fetch(raw);
    expect([response.status, response.text()]).toEqual([200, 'ok']);
    expect(v4.connections() + (v6?.connections() ?? 0)).toBeGreaterThan(0);
  });

  it('sends path and query as they are written, and never the fragment', async () => {
    const server = await httpServer();
    await egressWith().fetch(`${server.url}/a/../b%2Fc?x=%20&y=1#secret`);
    expect(server.requests[0]?.path).toBe('/b%2Fc?x=%20&y=1');
  });

  it.each([
    'http://93.184.215.14/',
    'https://[2606:4700::1111]:8443/x',
    'http://public.test/',
    'http://1.1.1.1',
    'http://192.31.196.1/',
    'http://223.255.255.255/',
    'http://126.255.255.255/',
    'http://[2000::1]/',
    'http://[2003::1]/',
  ])('lets a public address pass without an entry: %s', async (url) => {
    await egressWith({ allow: [], resolve: names({ 'public.test': ['93.184.215.14', '2606:4700::1111'] }) }).check(url);
  });

  it('does not take an IPv4 entry for the mapped IPv6 address, nor a name for its address or its subdomain', async () => {
    const egress = egressWith({
      allow: ['0.0.0.0/0', 'lan.test'],
      resolve: names({ 'lan.test': ['fd00::1'], 'sub.lan.test': ['fd00::1'] }),
    });
    await egress.check('http://lan.test/');
    await failure(egress.check('http://[::ffff:127.0.0.1]/'), 'EGRESS_DENIED', /IPv4-mapped/);
    await failure(egress.check('http://[fd00::1]/'), 'EGRESS_DENIED', /unique local/);
    await failure(egress.check('http://sub.lan.test/'), 'EGRESS_DENIED', /or sub\.lan\.test to EGRESS_ALLOW/);
  });

  it('names the entry that would permit it, and that entry does', async () => {
    const refused = await failure(egressWith().check('http://[fd00::a:1]/'), 'EGRESS_DENIED');
    expect(refused.details).toEqual({ host: 'fd00::a:1', entry: 'fd00::a:1/128' });
    await egressWith({ allow: [String(refused.details.entry)] }).check('http://[fd00::a:1]/');
  });

  it('does not resolve a name that is listed when it is only checked', async () => {
    const resolve = names({});
    await egressWith({ allow: ['later.test'], resolve }).check('http://later.test/');
    expect(resolve.asked).toEqual([]);
  });

  it('calls a malformed URL by the name that its caller gives it', async () => {
    await failure(egressWith().check('nonsense', 'input.url'), 'INVALID_INPUT', /^input\.url: must be an absolute URL/);
  });

  it('says so when a name does not exist', async () => {
    const egress = egressWith();
    await failure(egress.check('http://nowhere.test/'), 'UPSTREAM_UNREACHABLE', /nowhere\.test cannot be resolved/);
    const empty = egressWith({ resolve: names({ 'empty.test': [] }) });
    await failure(empty.fetch('http://empty.test/'), 'UPSTREAM_UNREACHABLE', /resolves to no address/);
  });

  it('resolves through the operating system unless told otherwise', async () => {
    const server = await httpServer();
    const egress = createEgress({ allow: LOOPBACK_ENTRIES });
    try {
      expect((await egress.fetch(`http://localhost:${server.port}/`)).status).toBe(200);
    } finally {
      await egress.close();
    }
  });
});

describe('a wrong entry in EGRESS_ALLOW stops the start', () => {
  it.each([
    '',
    ' ',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10/8',
    '0x7f.0.0.1',
    '127.1',
    '010.0.0.1',
    '*.internal',
    'http://agent.test',
    'agent.test:8080',
    '127.0.0.1:80',
    '[::1]:80',
    '[127.0.0.1]',
    '[::1',
    'fe80::1%eth0',
    'agent.test.',
    'a b',
    'müller.test',
    'agent.test/24',
  ])('%j', (entry) => {
    expect(() => createEgress({ allow: ['10.0.0.0/8', entry] })).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        field: 'EGRESS_ALLOW',
        message: expect.stringContaining(`"${entry}"`),
      }),
    );
  });

  it.each(['10.1.2.3/8', '127.0.0.1/31', '::1/64', 'fd00::1/8', '::ffff:10.0.0.1/104'])(
    '%j, whose extra bits were probably meant otherwise',
    (entry) => {
      expect(() => createEgress({ allow: [entry] })).toThrow(/has bits set beyond its prefix/);
    },
  );
});
