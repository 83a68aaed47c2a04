import { isIP, isIPv4 } from 'node:net';
import { invalid, RollcallError } from '../../errors.ts';
import { AddressSet, type Cidr, parseCidr, specialKind } from './ranges.ts';
import { parseHost } from './url.ts';

/** The entries that permit this machine itself: the default of EGRESS_ALLOW without authentication. */
export const LOOPBACK_ENTRIES: readonly string[] = ['127.0.0.0/8', '::1/128', 'localhost'];

const FIELD = 'EGRESS_ALLOW';

/** The first address of the block, when bits beyond the prefix are set: `10.1.2.3/8` was probably meant otherwise. */
function strayBits({ family, address, prefix }: Cidr): boolean {
  const bits = family === 4 ? 32 : 128;
  return prefix < bits && (toNumber(family, address) & ((1n << BigInt(bits - prefix)) - 1n)) !== 0n;
}

function toNumber(family: 4 | 6, address: string): bigint {
  if (family === 4) return address.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n);
  // The URL parser writes any IPv6 text as hexadecimal groups, the dotted tail of ::ffff:1.2.3.4 included.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array<string>(tail === undefined ? 0 : 8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n);
}

/** What EGRESS_ALLOW says: which addresses and names user-supplied URLs may reach besides public addresses. */
export class AllowList {
  readonly #addresses = new AddressSet();
  readonly #hosts = new Set<string>();

  /**
   * @param entries CIDRs, single addresses and host names (exact, without port).
   * @throws RollcallError INVALID_INPUT naming EGRESS_ALLOW and the entry that is wrong.
   */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
  }

  #add(entry: string): void {
    const cidr = parseCidr(entry);
    if (cidr !== undefined) {
      if (strayBits(cidr)) {
        throw invalid(FIELD, `"${entry}" has bits set beyond its prefix; write the first address of the block.`);
      }
      this.#addresses.add(cidr);
      return;
    }
    let host: string;
    try {
      host = parseHost(entry, FIELD);
    } catch (error) {
      throw new RollcallError(
        'INVALID_INPUT',
        `${FIELD}: "${entry}" is neither a CIDR (10.0.0.0/8), nor an address (10.1.2.3), nor a host name (agents.internal) without scheme, port or wildcard.`,
        { field: FIELD, cause: error },
      );
    }
    this.#hosts.add(host);
  }

  /** True when the name itself is listed: it is then allowed whatever it resolves to. */
  allowsHost(host: string): boolean {
    return this.#hosts.has(host);
  }

  /**
   * @param host the name that led to this address; the address itself for a literal.
   * @throws RollcallError EGRESS_DENIED naming the entry that would permit it, also in `details.entry`.
   */
  assertAllowed(host: string, address: string): void {
    const kind = specialKind(address);
    if (kind === undefined || this.#addresses.has(address) || this.#hosts.has(host)) return;
    const entry = `${address}/${isIPv4(address) ? 32 : 128}`;
    const [what, entries] =
      isIP(host) === 0 ? [`${host} resolves to ${address},`, `${entry} or ${host}`] : [`${address} is`, entry];
    throw new RollcallError('EGRESS_DENIED', `${what} ${kind}; add ${entries} to EGRESS_ALLOW to permit it.`, {
      details: { host, entry },
    });
  }
}
