import { BlockList, isIP, isIPv6 } from 'node:net';

/** A block of addresses: one family, a first address and the number of leading bits that count. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly address: string;
  readonly prefix: number;
}

/**
 * Reads `10.0.0.0/8`, `fd00::/8`, `10.1.2.3`, `::1` and `[::1]`; a single address is a block of its full length.
 * Undefined for anything else, zone ids and odd IPv4 forms included.
 */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\[[^\]]+\]|[^/[\]]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text);
  const written = match?.[1];
  if (written === undefined) return undefined;
  const address = written.startsWith('[') ? written.slice(1, -1) : written;
  const family = isIP(address);
  if (family === 0 || address.includes('%') || (written.startsWith('[') && family !== 6)) return undefined;
  const bits = family === 4 ? 32 : 128;
  const prefix = match?.[2] === undefined ? bits : Number(match[2]);
  return prefix > bits ? undefined : { family: family === 4 ? 4 : 6, address: address.toLowerCase(), prefix };
}

const familyName = (family: 4 | 6): 'ipv4' | 'ipv6' => (family === 4 ? 'ipv4' : 'ipv6');

/**
 * A set of blocks that never mixes the families. Node's BlockList alone lets an IPv4 rule match `::ffff:10.0.0.1`, and
 * the rule `::ffff:0:0/96` match every IPv4 address; the kernel's routing of such addresses is no business of a rule
 * that does not name them.
 */
export class AddressSet {
  readonly #lists = { 4: new BlockList(), 6: new BlockList() };

  add(cidr: Cidr): this {
    this.#lists[cidr.family].addSubnet(cidr.address, cidr.prefix, familyName(cidr.family));
    return this;
  }

  has(address: string): boolean {
    const family = isIPv6(address) ? 6 : 4;
    return !address.includes('%') && this.#lists[family].check(address, familyName(family));
  }
}

/**
 * The addresses that are not public, most specific first: the first row that matches names the reason. From the IANA
 * special-purpose registries (RFC 6890 and its updates), the deprecated ranges that some stacks still route, and the
 * metadata services of clouds that live on an otherwise public address.
 */
const SPECIAL: readonly (readonly [cidr: string, kind: string])[] = [
  ['169.254.169.254/32', 'a cloud metadata address'],
  ['169.254.170.2/32', 'a cloud metadata address'],
  ['168.63.129.16/32', 'a cloud metadata address'],
  ['100.100.100.200/32', 'a cloud metadata address'],
  ['192.0.0.192/32', 'a cloud metadata address'],
  ['255.255.255.255/32', 'the broadcast address'],
  ['0.0.0.0/32', 'the unspecified address'],
  ['0.0.0.0/8', 'an address of "this network"'],
  ['10.0.0.0/8', 'a private address'],
  ['100.64.0.0/10', 'a shared (carrier-grade NAT) address'],
  ['127.0.0.0/8', 'a loopback address'],
  ['169.254.0.0/16', 'a link-local address'],
  ['172.16.0.0/12', 'a private address'],
  ['192.0.0.0/24', 'an address reserved for protocols'],
  ['192.0.2.0/24', 'a documentation address'],
  ['192.88.99.0/24', 'a 6to4 relay address'],
  ['192.168.0.0/16', 'a private address'],
  ['198.18.0.0/15', 'a benchmarking address'],
  ['198.51.100.0/24', 'a documentation address'],
  ['203.0.113.0/24', 'a documentation address'],
  ['224.0.0.0/4', 'a multicast address'],
  ['240.0.0.0/4', 'a reserved address'],
  ['::/128', 'the unspecified address'],
  ['::1/128', 'a loopback address'],
  ['::ffff:0:0/96', 'an IPv4-mapped address'],
  ['::ffff:0:0:0/96', 'an IPv4-translated address'],
  ['::/96', 'an IPv4-compatible address'],
  ['64:ff9b::/96', 'a NAT64 address'],
  ['64:ff9b:1::/48', 'a NAT64 address'],
  ['100::/64', 'a discard address'],
  ['2001::/32', 'a Teredo address'],
  ['2001:2::/48', 'a benchmarking address'],
  ['2001:db8::/32', 'a documentation address'],
  ['2001::/23', 'an address reserved for protocols'],
  ['2002::/16', 'a 6to4 address'],
  ['3fff::/20', 'a documentation address'],
  ['fd00:ec2::254/128', 'a cloud metadata address'],
  ['fd20:ce::254/128', 'a cloud metadata address'],
  ['fc00::/7', 'a unique local (private) address'],
  ['fe80::/10', 'a link-local address'],
  ['fec0::/10', 'a site-local address'],
  ['ff00::/8', 'a multicast address'],
  // Global unicast is 2000::/3 (RFC 4291 §2.4): what lies outside and has no row above is unassigned.
  ['::/3', 'a reserved address'],
  ['4000::/2', 'a reserved address'],
  ['8000::/1', 'a reserved address'],
];

const SPECIAL_SETS = SPECIAL.map(([text, kind]) => {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new Error(`${text} is not a CIDR`);
  return { set: new AddressSet().add(cidr), kind };
});

/** What makes this address one that is not public, in words ("a private address"); undefined for a public one. */
export function specialKind(address: string): string | undefined {
  if (isIP(address) === 0) return 'not an IP address';
  if (address.includes('%')) return 'an address with a zone';
  return SPECIAL_SETS.find(({ set }) => set.has(address))?.kind;
}
