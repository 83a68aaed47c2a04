import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseGrpcAddress } from '../../src/upstream/egress.ts';
import { ATTACK_NAMES, ATTACKS } from './egress-attacks.ts';
import { egressWith, failure, names, sentinels } from './egress-support.ts';
import { echoServer, say } from './grpc-support.ts';

/** As an address without a scheme, the way cards write it. */
const bare = (url: string): string => url.replace(/^https?:\/\//i, '').replace(/\/$/, '');

/** What is wrong as a URL only for want of a scheme is a plain address here, and refused for where it leads. */
const PLAIN_HERE = /^(?:127\.0\.0\.1|localhost):\{port\}\/$/;

const FROM_HTTP = ATTACKS.flatMap((attack) => {
  const plain = PLAIN_HERE.test(attack.url);
  const code = plain ? ('EGRESS_DENIED' as const) : attack.code;
  const by = plain ? /loopback/ : code === 'EGRESS_DENIED' ? attack.by : /./s;
  const host = bare(attack.url);
  return [
    { address: attack.url, code, by },
    // An address without a scheme has no path at all.
    host.includes('/') ? { address: host, code: 'INVALID_INPUT' as const, by: /./s } : { address: host, code, by },
    {
      address: attack.url
        .replace(/^http(s?):/i, 'grpc$1:')
        .replaceAll(/^(grpc:\/\/[\w.-]+|grpc:\/\/\[[^\]]*\])\//g, '$1:1/'),
      code,
      by,
    },
  ];
});

const VECTORS = [
  // Some are the same in two forms.
  ...new Map(FROM_HTTP.map((vector) => [vector.address, vector])).values(),
  ...[
    'dns:///127.0.0.1:{port}',
    'dns:127.0.0.1:{port}',
    'dns://93.184.215.14/127.0.0.1:{port}',
    'ipv4:127.0.0.1:{port}',
    'ipv6:[::1]:{port}',
    'ipv4:93.184.215.14:80,127.0.0.1:{port}',
    'unix:///var/run/docker.sock',
    'unix-abstract:docker',
    'xds:///127.0.0.1:{port}',
    'passthrough:///127.0.0.1:{port}',
    'rollcall-checked:127.0.0.1:{port}',
    'rollcall-checked:///127.0.0.1:{port}',
    '93.184.215.14:80,127.0.0.1:{port}',
    '127.0.0.1:{port}/a2a',
    '127.0.0.1:{port}?x=y',
    'grpc://127.0.0.1:{port}#x',
    'grpc://127.0.0.1',
    'grpc://user:secret@127.0.0.1:{port}',
    'grpcs://0x7f.1:{port}',
    'grpc:127.0.0.1:{port}',
    'grpc:/127.0.0.1:{port}',
    'grpc:///127.0.0.1:{port}',
    'GRPC+http://127.0.0.1:{port}',
    '__proto__://127.0.0.1:{port}',
    'constructor://127.0.0.1:{port}',
  ].map((address) => ({ address, code: 'INVALID_INPUT' as const, by: /./s })),
];

describe('a refused gRPC address opens no connection', () => {
  let port: number;
  let reached: () => number;
  beforeEach(async () => {
    ({ port, reached } = await sentinels());
  });

  it('has more vectors than HTTP, none twice', () => {
    expect(new Set(VECTORS.map(({ address }) => address)).size).toBe(VECTORS.length);
    expect(VECTORS.length).toBeGreaterThan(2 * ATTACKS.length);
  });

  it('would notice one: the same address is connected to once it is allowed', async () => {
    const { client } = await egressWith({ allow: ['127.0.0.1'] }).grpc(`127.0.0.1:${port}`);
    await expect(say(client)).rejects.toThrow();
    expect(reached()).toBeGreaterThan(0);
  });

  it.each(VECTORS)('$address', async ({ address, code, by }) => {
    const egress = egressWith({ allow: [], resolve: names(ATTACK_NAMES) });
    const raw = address.replaceAll('{port}', String(port));
    const refused = await failure(egress.checkGrpc(raw), code, by);
    await failure(egress.grpc(raw), code, by);
    await failure(egress.grpcClient(raw), code, by);
    expect(reached()).toBe(0);
    expect(refused.message).not.toMatch(/secret/);
    expect(egress.grpcChannelCount).toBe(0);
  });

  it('of the environment, a proxy, neither', async () => {
    const server = await echoServer();
    const before = { ...process.env };
    for (const name of ['grpc_proxy', 'https_proxy', 'http_proxy']) process.env[name] = `http://127.0.0.1:${port}`;
    try {
      const egress = egressWith({ resolve: names({ 'agent.test': ['127.0.0.1'] }) });
      expect(await say((await egress.grpc(`grpc://agent.test:${server.port}`)).client)).toBe('ok');
      const own = await egress.grpcClient(`agent.test:${server.port}`, { tls: false });
      expect(await say(own)).toBe('ok');
    } finally {
      process.env = before;
    }
    expect(reached()).toBe(0);
  });
});

const ALLOWED = [
  ['an address', '127.0.0.1:{port}', '127.0.0.1'],
  ['an address with a slash behind it', '127.0.0.1:{port}/', '127.0.0.1'],
  ['a block', '127.0.0.1:{port}', '127.0.0.0/8'],
  ['an IPv6 address', '[::1]:{port}', '::1'],
  ['an IPv6 address written at length', '[0:0:0:0:0:0:0:1]:{port}', '::1/128'],
  ['an IPv4-mapped address by an entry of its own', '[::ffff:127.0.0.1]:{port}', '::ffff:127.0.0.1'],
  ['a host name', 'grpc://agent.test:{port}', 'agent.test'],
  ['a host name in capitals', 'GRPC://Agent.TEST:{port}', 'AGENT.test'],
  ['a host name through its address', 'grpc://agent.test:{port}', '127.0.0.1/32'],
  ['a host name that resolves to both families', 'grpc://both.test:{port}', 'both.test'],
  ['a host name that resolves to a mapped address', 'grpc://mapped.test:{port}', 'mapped.test'],
  ['a container name with an underscore', 'under_score:{port}', 'under_score'],
  ['an international name in its ASCII form', 'grpc://xn--mller-kva.test:{port}', 'xn--mller-kva.test'],
  ['localhost by name', 'localhost:{port}', 'localhost'],
  ['a URL with a path', 'http://127.0.0.1:{port}/a2a/grpc', '127.0.0.1'],
] as const;
const RESOLVED = {
  'agent.test': ['127.0.0.1'],
  'both.test': ['::1', '127.0.0.1'],
  under_score: ['127.0.0.1'],
  'xn--mller-kva.test': ['127.0.0.1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  localhost: ['127.0.0.1', '::1'],
};

describe('what EGRESS_ALLOW lists is reached over gRPC', () => {
  it.for(ALLOWED)('%s: %s', async ([, address, entry], { skip }) => {
    const v4 = await echoServer();
    const v6 = await echoServer('ok', { host: '::1', port: v4.port }).catch(() => undefined);
    if (v6 === undefined && /\[[0:]*1\]/.test(address)) return skip('this machine has no IPv6 loopback');
    const egress = egressWith({ allow: [entry], resolve: names(RESOLVED) });
    const raw = address.replaceAll('{port}', String(v4.port));
    await egress.checkGrpc(raw);
    expect(await say((await egress.grpc(raw)).client)).toBe('ok');
    expect(await say(await egress.grpcClient(raw))).toBe('ok');
    const { authority } = parseGrpcAddress(raw);
    expect([...v4.authorities, ...(v6?.authorities ?? [])]).toEqual([authority, authority]);
  });
});

describe('any text at all', () => {
  const piece = fc.constantFrom(
    'grpc://',
    'grpcs://',
    'http://',
    'dns:',
    '//',
    '/',
    '\\',
    '@',
    '[',
    ']',
    '::1',
    ':',
    '.',
    '127.0.0.1',
    '0x7f',
    'a',
    '%31',
    '1',
    ',',
    '?',
    '#',
    ' ',
    'é',
  );
  it('is refused, or is a host and a port that read the same again', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 8 }).map((all) => all.join('')),
          fc.string(),
        ),
        (raw) => {
          let address: ReturnType<typeof parseGrpcAddress>;
          try {
            address = parseGrpcAddress(raw);
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_INPUT' });
            return;
          }
          const { host, port, tls, authority } = address;
          expect(parseGrpcAddress(`${tls ? 'grpcs' : 'grpc'}://${authority}`)).toEqual(address);
          expect(new URL(`http://${authority}/`).hostname.replace(/^\[|\]$/g, '')).toBe(host);
          expect(port).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('an address says by how it is written whether TLS is spoken', () => {
  it.each([
    ['agent.example:443', true, 'https://agent.example'],
    ['agent.example', true, 'https://agent.example'],
    ['agent.example:50051', true, 'https://agent.example:50051'],
    ['93.184.215.14:50051', true, 'https://93.184.215.14:50051'],
    ['[2606:4700::1111]:50051', true, 'https://[2606:4700::1111]:50051'],
    ['notlocal:443', true, 'https://notlocal'],
    ['localhost:443', true, 'https://localhost'],
    ['localhost:50051', false, 'http://localhost:50051'],
    ['a.localhost:50051', false, 'http://a.localhost:50051'],
    ['agent:50051', false, 'http://agent:50051'],
    ['agent.team.svc:50051', false, 'http://agent.team.svc:50051'],
    ['agent.team.svc.cluster.local:50051', false, 'http://agent.team.svc.cluster.local:50051'],
    ['evil-svc.example:50051', true, 'https://evil-svc.example:50051'],
    ['10.1.2.3:50051', false, 'http://10.1.2.3:50051'],
    ['[::1]:50051', false, 'http://[::1]:50051'],
    ['grpc://agent.example:50051', false, 'http://agent.example:50051'],
    ['grpcs://10.1.2.3:50051', true, 'https://10.1.2.3:50051'],
    ['grpcs://agent.example', true, 'https://agent.example'],
    ['http://agent.example', false, 'http://agent.example'],
    ['HTTPS://Agent.Example/a2a', true, 'https://agent.example'],
  ])('%s: %s', (raw, tls, origin) => {
    expect(parseGrpcAddress(raw)).toMatchObject({ tls, origin });
  });

  it('unless its user knows, and does not contradict it', () => {
    expect(parseGrpcAddress('agent.example:50051', 'address', false).tls).toBe(false);
    expect(parseGrpcAddress('agent:50051', 'address', true).tls).toBe(true);
    expect(() => parseGrpcAddress('grpcs://agent:50051', 'address', false)).toThrow(/^address: .*contradicts/);
  });
});
