import { isIP } from 'node:net';
import { Channel, type ChannelCredentials, type ChannelInterface, type ChannelOptions } from '@grpc/grpc-js';
import { RollcallError } from '../../../errors.ts';
import type { CheckedAddress } from '../resolve.ts';
import type { GrpcAddress } from './address.ts';
import { checkedTarget } from './resolver.ts';

/** Asks whether a host may be reached, and where. */
export type Check = (host: string, port: number) => Promise<readonly CheckedAddress[]>;

const SAFE: ChannelOptions = {
  // A proxy of the environment would resolve the name by itself.
  'grpc.enable_http_proxy': 0,
  // Connections are shared by target and options, which say nothing of the check that permitted them.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_channelz': 0,
};

const setOf = (addresses: readonly CheckedAddress[]): string =>
  addresses
    .map(({ address }) => address)
    .sort()
    .join(' ');

interface Inner {
  readonly channel: Channel;
  /** The addresses it may connect to; undefined until it asked. */
  pinned: string | undefined;
}

/**
 * A channel that connects only to addresses that were checked. When the check yields others, calls go over a new
 * channel, and when it refuses, over none; those that run end on the address they were checked for.
 */
export class PinnedChannel implements ChannelInterface {
  readonly address: GrpcAddress;
  readonly #credentials: ChannelCredentials;
  readonly #options: ChannelOptions;
  readonly #check: Check;
  readonly #recheckMs: number;
  readonly #onClose: (channel: PinnedChannel) => void;
  #inner: Inner;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @param recheckMs how long calls may go out without {@link verify} before one checks the name on the side. */
  constructor(
    address: GrpcAddress,
    credentials: ChannelCredentials,
    options: ChannelOptions,
    check: Check,
    recheckMs: number,
    onClose: (channel: PinnedChannel) => void,
  ) {
    this.address = address;
    this.#credentials = credentials;
    this.#options = options;
    this.#check = check;
    this.#recheckMs = recheckMs;
    this.#onClose = onClose;
    this.#inner = this.#open();
  }

  /**
   * Asks whether the host may still be reached, and at the addresses that this channel knows.
   *
   * @throws RollcallError EGRESS_DENIED, UPSTREAM_UNREACHABLE when the name has no address.
   */
  async verify(): Promise<void> {
    const { host, port } = this.address;
    let addresses: readonly CheckedAddress[];
    try {
      this.#checkedAt = performance.now();
      addresses = await this.#check(host, port);
    } catch (error) {
      // A host that is refused now may have been permitted before: its open connection must not serve the next call. One
      // that has none yet hears of the refusal from its resolver, and its calls with it.
      if (error instanceof RollcallError && error.code === 'EGRESS_DENIED' && this.#inner.pinned !== undefined) {
        this.#replace();
      }
      throw error;
    }
    if (this.#inner.pinned !== undefined && this.#inner.pinned !== setOf(addresses)) this.#replace();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inner.channel.close();
    this.#onClose(this);
  }

  getTarget(): string {
    return this.address.authority;
  }

  getConnectivityState(tryToConnect: boolean): ReturnType<ChannelInterface['getConnectivityState']> {
    return this.#inner.channel.getConnectivityState(tryToConnect);
  }

  watchConnectivityState(...watch: Parameters<ChannelInterface['watchConnectivityState']>): void {
    this.#inner.channel.watchConnectivityState(...watch);
  }

  getChannelzRef(): ReturnType<ChannelInterface['getChannelzRef']> {
    return this.#inner.channel.getChannelzRef();
  }

  createCall(...call: Parameters<ChannelInterface['createCall']>): ReturnType<ChannelInterface['createCall']> {
    return this.current().createCall(...call);
  }

  /** The channel that a call goes over now, and no later one. */
  current(): Channel {
    // Whoever holds the channel for days does not verify each call: then the name is asked for beside the calls.
    if (performance.now() - this.#checkedAt > this.#recheckMs && isIP(this.address.host) === 0) {
      this.verify().catch(() => undefined);
    }
    return this.#inner.channel;
  }

  #replace(): void {
    if (this.#closed) return;
    const { channel } = this.#inner;
    this.#inner = this.#open();
    channel.close();
  }

  #open(): Inner {
    const { host, port, authority } = this.address;
    const [target, source] = checkedTarget(authority, {
      check: () => this.#check(host, port),
      pinned: (addresses) => {
        inner.pinned = setOf(addresses);
      },
    });
    const channel = new Channel(target, this.#credentials, { ...this.#options, ...SAFE, ...source });
    const inner: Inner = { channel, pinned: undefined };
    return inner;
  }
}
