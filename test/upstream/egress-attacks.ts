import type { ErrorCode } from '../../src/errors.ts';

/** One way to make a server call what it must not. `{port}` stands for the port of a server on 127.0.0.1 and [::1]. */
export interface Attack {
  readonly url: string;
  readonly code: ErrorCode;
  /** The rule that refuses it, recognised by its message. */
  readonly by: RegExp;
  /** True when the text is a harmless relative reference as a redirect's Location. */
  readonly relative?: boolean;
}

/** What the resolver of these attacks answers. */
export const ATTACK_NAMES: Readonly<Record<string, readonly string[]>> = {
  'loop.attacker.example': ['127.0.0.1'],
  'loop6.attacker.example': ['::1'],
  'mapped.attacker.example': ['::ffff:127.0.0.1'],
  'mix.attacker.example': ['93.184.215.14', '127.0.0.1'],
  'mix-last6.attacker.example': ['2606:2800:21f:cb07::1', '93.184.215.14', '::1'],
  'metadata.google.internal': ['169.254.169.254'],
  'zero.attacker.example': ['0.0.0.0'],
  'lan.attacker.example': ['192.168.7.7'],
  'zone.attacker.example': ['fe80::1%lo'],
  localhost: ['127.0.0.1', '::1'],
  'sub.localhost': ['127.0.0.1'],
  'xn--bcher-kva.example': ['10.0.0.9'],
};

const ipv4 = /IPv4 address must be written as four decimal numbers/;
const ascii = /host must be ASCII/;
const percent = /neither percent-encoding nor a zone id/;
const userinfo = /user name or password/;
const scheme = /begins with http:\/\/ or https:\/\//;
const white = /neither white space nor control characters/;
const backslash = /backslash/;
const port = /port must be between 1 and 65535/;
const name = /not a valid host name/;
const ipv6 = /not a valid IPv6 address/;
const parts = /host or port is malformed/;
const bad = (url: string, by: RegExp, relative = false): Attack => ({ url, code: 'INVALID_INPUT', by, relative });
const denied = (url: string, by: RegExp): Attack => ({ url, code: 'EGRESS_DENIED', by });

export const ATTACKS: readonly Attack[] = [
  // IPv4 in the forms that inet_aton and the URL standard still read
  bad('http://0x7f.1:{port}/', ipv4),
  bad('http://0x7f000001:{port}/', ipv4),
  bad('http://0x7F.0x0.0x0.0x1:{port}/', ipv4),
  bad('http://0177.0.0.1:{port}/', ipv4),
  bad('http://017700000001:{port}/', ipv4),
  bad('http://127.0.0.01:{port}/', ipv4),
  bad('http://2130706433:{port}/', ipv4),
  bad('http://127.1:{port}/', ipv4),
  bad('http://127.0.1:{port}/', ipv4),
  bad('http://0:{port}/', ipv4),
  bad('http://0x:{port}/', ipv4),
  bad('http://127.0.0.0x1:{port}/', ipv4),
  bad('http://127.0.0.1.0x7f:{port}/', ipv4),
  bad('http://256.0.0.1:{port}/', ipv4),
  bad('http://127.0.0.257:{port}/', ipv4),
  bad('http://4294967297:{port}/', ipv4),
  bad('http://1.2.3.4.5:{port}/', ipv4),
  // dots
  bad('http://127.0.0.1.:{port}/', /must not end in a dot/),
  bad('http://localhost.:{port}/', /must not end in a dot/),
  bad('http://localhost..:{port}/', /must not end in a dot/),
  bad('http://.localhost:{port}/', name),
  bad('http://a..localhost:{port}/', name),
  // characters that normalise to digits, letters and dots
  bad('http://１２７.0.0.1:{port}/', ascii),
  bad('http://127。0。0。1:{port}/', ascii),
  bad('http://①②⑦.0.0.1:{port}/', ascii),
  bad('http://𝟭𝟮𝟳.𝟬.𝟬.𝟭:{port}/', ascii),
  bad('http://ⓛocalhost:{port}/', ascii),
  bad('http://local\u00adhost:{port}/', ascii),
  bad('http://loc\u200balhost:{port}/', ascii),
  bad('http://l\u0043\u0327ocalhost:{port}/', ascii),
  bad('http://%31%32%37.0.0.1:{port}/', percent),
  bad('http://127%2e0%2e0%2e1:{port}/', percent),
  bad('http://localhost%00.example:{port}/', percent),
  bad('http://-localhost:{port}/', name),
  bad('http://local+host:{port}/', name),
  bad('http://*.localhost:{port}/', name),
  // user info
  bad('http://agent.example@127.0.0.1:{port}/', userinfo),
  bad('http://user:secret@127.0.0.1:{port}/', userinfo),
  bad('http://@127.0.0.1:{port}/', userinfo),
  bad('http://:@127.0.0.1:{port}/', userinfo),
  bad('http://93.184.215.14:80@127.0.0.1:{port}/', userinfo),
  // what parsers trim, fold or skip
  bad(' http://127.0.0.1:{port}/', white),
  bad('http://127.0.0.1:{port}/ ', white),
  bad('http://127.0.\n0.1:{port}/', white),
  bad('http://127.0.0.1\t:{port}/', white),
  bad('http://127.0.0.1:{port}/\r\nX-Injected: 1', white),
  bad('http://127.0.0.1:{port}/\u0000', white),
  bad('ht\ntp://127.0.0.1:{port}/', white),
  bad('http:\\\\127.0.0.1:{port}\\', backslash),
  bad('http://agent.example\\@127.0.0.1:{port}/', backslash),
  bad('http:/127.0.0.1:{port}/', scheme),
  bad('http:127.0.0.1:{port}/', scheme),
  bad('http:///127.0.0.1:{port}/', /names no host/),
  bad('http://:{port}/', /names no host/),
  bad('http://', /names no host/),
  bad('http://?127.0.0.1:{port}', /names no host/),
  bad('http://#@127.0.0.1:{port}', /names no host/),
  // schemes
  bad('', scheme, true),
  bad('127.0.0.1:{port}/', scheme, true),
  bad('localhost:{port}/', scheme),
  bad('file:///etc/passwd', scheme),
  bad('ftp://127.0.0.1:{port}/', scheme),
  bad('gopher://127.0.0.1:{port}/_GET', scheme),
  bad('ws://127.0.0.1:{port}/', scheme),
  bad('data:text/plain,hello', scheme),
  bad('blob:http://127.0.0.1:{port}/', scheme),
  bad('view-source:http://127.0.0.1:{port}/', scheme),
  bad('unix:/var/run/docker.sock', scheme),
  // ports
  bad('http://127.0.0.1:0/', port),
  bad('http://127.0.0.1:/', port),
  bad('http://127.0.0.1:65536/', port),
  bad('http://127.0.0.1:+{port}/', port),
  bad('http://127.0.0.1:0{port}/', port),
  bad('http://127.0.0.1:{port}:80/', port),
  bad('http://127.0.0.1:0x50/', port),
  // IPv6 that is none
  bad('http://[::1%25lo]:{port}/', percent),
  bad('http://[fe80::1%lo]:{port}/', percent),
  bad('http://::1:{port}/', /names no host/),
  bad('http://[::1]{port}/', parts),
  bad('http://[::1:{port}/', parts),
  bad('http://::1]:{port}/', /names no host/),
  bad('http://[]:{port}/', /names no host/),
  bad('http://[127.0.0.1]:{port}/', /only an IPv6 address goes in brackets/),
  bad('http://[localhost]:{port}/', /only an IPv6 address goes in brackets/),
  bad('http://[::ffff:127.1]:{port}/', ipv6),
  bad('http://[::ffff:0x7f.0.0.1]:{port}/', ipv6),
  bad('http://[1::2::3]:{port}/', ipv6),
  bad('http://[v1.fe80::1]:{port}/', ipv6),
  // IPv4 addresses that are not public
  denied('http://127.0.0.1:{port}/', /127\.0\.0\.1 is a loopback address; add 127\.0\.0\.1\/32 to EGRESS_ALLOW/),
  denied('HTTP://127.0.0.1:{port}/', /loopback/),
  denied('https://127.0.0.1:{port}/', /loopback/),
  denied('http://127.255.255.254:{port}/', /loopback/),
  denied('http://0.0.0.0:{port}/', /unspecified/),
  denied('http://0.1.2.3/', /"this network"/),
  denied('http://10.1.2.3/', /10\.1\.2\.3 is a private address; add 10\.1\.2\.3\/32 to EGRESS_ALLOW to permit it/),
  denied('http://172.16.0.1/', /private/),
  denied('http://172.31.255.255/', /private/),
  denied('http://192.168.0.1/', /private/),
  denied('http://169.254.169.254/latest/meta-data/', /cloud metadata/),
  denied('http://169.254.170.2/v2/credentials', /cloud metadata/),
  denied('http://100.100.100.200/', /cloud metadata/),
  denied('http://168.63.129.16/', /cloud metadata/),
  denied('http://192.0.0.192/', /cloud metadata/),
  denied('http://169.254.1.1/', /link-local/),
  denied('http://100.64.0.1/', /carrier-grade NAT/),
  denied('http://100.127.255.255/', /carrier-grade NAT/),
  denied('http://192.0.0.1/', /reserved for protocols/),
  denied('http://192.0.2.1/', /documentation/),
  denied('http://198.51.100.1/', /documentation/),
  denied('http://203.0.113.1/', /documentation/),
  denied('http://198.18.0.1/', /benchmarking/),
  denied('http://198.19.255.255/', /benchmarking/),
  denied('http://192.88.99.1/', /6to4/),
  denied('http://224.0.0.1/', /multicast/),
  denied('http://239.255.255.250:1900/', /multicast/),
  denied('http://240.0.0.1/', /reserved/),
  denied('http://255.255.255.255/', /broadcast/),
  // IPv6 addresses that are not public
  denied('http://[::1]:{port}/', /::1 is a loopback address; add ::1\/128 to EGRESS_ALLOW/),
  denied('http://[0:0:0:0:0:0:0:1]:{port}/', /loopback/),
  denied('http://[::]:{port}/', /unspecified/),
  denied('http://[::ffff:127.0.0.1]:{port}/', /IPv4-mapped/),
  denied('http://[::ffff:7f00:1]:{port}/', /IPv4-mapped/),
  denied('http://[::ffff:8.8.8.8]/', /IPv4-mapped/),
  denied('http://[::ffff:0:127.0.0.1]/', /IPv4-translated/),
  denied('http://[::127.0.0.1]:{port}/', /IPv4-compatible/),
  denied('http://[64:ff9b::127.0.0.1]/', /NAT64/),
  denied('http://[64:ff9b:1::a00:1]/', /NAT64/),
  denied('http://[2002:7f00:1::]/', /6to4/),
  denied('http://[2001:0:7f00:1::1]/', /Teredo/),
  denied('http://[2001:db8::1]/', /documentation/),
  denied('http://[3fff::1]/', /documentation/),
  denied('http://[2001:2::1]/', /benchmarking/),
  denied('http://[2001:20::1]/', /reserved for protocols/),
  denied('http://[fc00::1]/', /unique local/),
  denied('http://[fd12:3456::1]/', /unique local/),
  denied('http://[fd00:ec2::254]/', /cloud metadata/),
  denied('http://[fe80::1]/', /link-local/),
  denied('http://[fec0::1]/', /site-local/),
  denied('http://[ff02::1]/', /multicast/),
  denied('http://[100::1]/', /discard/),
  denied('http://[5f00::1]/', /reserved/),
  denied('http://[4000::1]/', /reserved/),
  denied('http://[c000::1]/', /reserved/),
  // names
  denied(
    'http://localhost:{port}/',
    /localhost resolves to 127\.0\.0\.1, a loopback address; add 127\.0\.0\.1\/32 or localhost/,
  ),
  denied('http://LOCALHOST:{port}/', /loopback/),
  denied('http://sub.localhost:{port}/', /loopback/),
  denied('http://loop.attacker.example:{port}/', /loopback/),
  denied('http://loop6.attacker.example:{port}/', /loopback/),
  denied('http://mapped.attacker.example:{port}/', /IPv4-mapped/),
  denied('http://mix.attacker.example:{port}/', /loopback/),
  denied('http://mix-last6.attacker.example:{port}/', /loopback/),
  denied('http://metadata.google.internal/computeMetadata/v1/', /cloud metadata/),
  denied('http://zero.attacker.example:{port}/', /unspecified/),
  denied('http://lan.attacker.example/', /private/),
  denied('http://zone.attacker.example/', /with a zone/),
  denied('http://xn--bcher-kva.example/', /private/),
];
