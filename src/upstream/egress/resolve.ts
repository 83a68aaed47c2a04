import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { RollcallError } from '../../errors.ts';
import type { AllowList } from './allow.ts';
import { parseHost } from './url.ts';

/** Turns a host name into all of its addresses, without ports. Rejects where there are none. */
export type Resolver = (host: string) => Promise<readonly string[]>;

/** An address that EGRESS_ALLOW was asked about and permits: the only kind that is ever connected to. */
export interface CheckedAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/** The operating system's resolver, hosts file included: what the operator sees is what is checked. */
export const systemResolver: Resolver = async (host) =>
  (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);

type Checked = Omit<CheckedAddress, 'port'>;

interface Answer {
  readonly checked: Promise<readonly Checked[]>;
  /** In milliseconds of `performance.now()`; infinite while the lookup runs, so that concurrent calls share it. */
  expires: number;
}

/**
 * Resolves names and checks every address. The verdict is kept for a few seconds, so that an agent that is called often
 * costs no lookup per call, and no connection outlives its check by more than that.
 */
export class HostChecker {
  readonly #allow: AllowList;
  readonly #resolve: Resolver;
  readonly #ttlMs: number;
  readonly #maxNames: number;
  readonly #answers = new Map<string, Answer>();

  constructor(allow: AllowList, resolve: Resolver, ttlMs: number, maxNames: number) {
    this.#allow = allow;
    this.#resolve = resolve;
    this.#ttlMs = ttlMs;
    this.#maxNames = maxNames;
  }

  /**
   * All addresses of a host, each of them permitted. One that is not refuses the whole host: with a mixed answer the
   * choice would be the attacker's. A literal address costs no lookup.
   *
   * @throws RollcallError INVALID_INPUT, EGRESS_DENIED, UPSTREAM_UNREACHABLE when the name has no address.
   */
  async checkHost(rawHost: string, port: number): Promise<readonly CheckedAddress[]> {
    const checked = await this.#verdict(parseHost(rawHost));
    return checked.map((one) => ({ ...one, port }));
  }

  #verdict(host: string): Promise<readonly Checked[]> {
    const known = this.#answers.get(host);
    if (known !== undefined && known.expires > performance.now()) return known.checked;
    const answer: Answer = { checked: this.#lookup(host), expires: Number.POSITIVE_INFINITY };
    this.#answers.delete(host);
    this.#answers.set(host, answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#maxNames) break;
      this.#answers.delete(oldest);
    }
    const keep = (): void => {
      answer.expires = performance.now() + this.#ttlMs;
    };
    answer.checked.then(keep, (error: unknown) => {
      // A refusal is an answer; a lookup that failed is none, and the next call tries again.
      if (error instanceof RollcallError && error.code === 'EGRESS_DENIED') keep();
      else if (this.#answers.get(host) === answer) this.#answers.delete(host);
    });
    return answer.checked;
  }

  async #lookup(host: string): Promise<readonly Checked[]> {
    const addresses = isIP(host) === 0 ? await this.#addressesOf(host) : [host];
    for (const address of addresses) this.#allow.assertAllowed(host, address);
    return addresses.map((address) => ({ address, family: isIP(address) === 6 ? 6 : 4 }));
  }

  async #addressesOf(host: string): Promise<readonly string[]> {
    let addresses: readonly string[];
    try {
      addresses = await this.#resolve(host);
    } catch (error) {
      throw new RollcallError('UPSTREAM_UNREACHABLE', `${host} cannot be resolved; check the name and the DNS.`, {
        cause: error,
      });
    }
    if (addresses.length === 0 || addresses.some((address) => isIP(address) === 0)) {
      throw new RollcallError('UPSTREAM_UNREACHABLE', `${host} resolves to no address.`);
    }
    return [...new Set(addresses)];
  }
}
