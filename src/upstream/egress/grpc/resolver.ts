import { type ChannelOptions, experimental, Metadata, status } from '@grpc/grpc-js';
import type { CheckedAddress } from '../resolve.ts';

/** What a channel of ours resolves by: checks the name, and hears which addresses grpc got. */
export interface AddressSource {
  /** Every address, each of them permitted. Rejects when one is not, or there is none. */
  check(): Promise<readonly CheckedAddress[]>;
  /** The channel connects to these from now on, and to no other. */
  pinned(addresses: readonly CheckedAddress[]): void;
}

/** Targets with this scheme are resolved here: grpc's own resolvers would ask the DNS by themselves. */
const SCHEME = 'rollcall-checked';
/** The prefix keeps it out of what connections are compared by. */
const SOURCE = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.rollcall_source`;
/** While nobody can be reached, grpc asks anew at every failure without a pause; milliseconds. */
const PAUSE_MS = 1_000;

/** grpc's resolver (its "naming" interface) over an {@link AddressSource}. */
class CheckedResolver implements experimental.Resolver {
  readonly #tell: experimental.ResolverListener;
  readonly #source: AddressSource;
  #askedAt = Number.NEGATIVE_INFINITY;
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  /** Grows when grpc goes idle: an answer to an earlier question must not be told then. */
  #round = 0;

  constructor(_target: experimental.GrpcUri, listener: experimental.ResolverListener, options: ChannelOptions) {
    this.#tell = listener;
    this.#source = options[SOURCE] as AddressSource;
  }

  updateResolution(): void {
    if (this.#running || this.#timer !== undefined) return;
    const wait = this.#askedAt + PAUSE_MS - performance.now();
    if (wait <= 0) return void this.#resolve();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#resolve();
    }, wait).unref();
  }

  destroy(): void {
    this.#round++;
    this.#running = false;
    this.#askedAt = Number.NEGATIVE_INFINITY;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #resolve(): Promise<void> {
    const round = this.#round;
    this.#running = true;
    this.#askedAt = performance.now();
    let answer: Parameters<experimental.ResolverListener>[0];
    try {
      const addresses = await this.#source.check();
      if (round !== this.#round) return;
      this.#source.pinned(addresses);
      answer = experimental.statusOrFromValue([
        { addresses: addresses.map(({ address, port }) => ({ host: address, port })) },
      ]);
    } catch (error) {
      if (round !== this.#round) return;
      const details = error instanceof Error ? error.message : 'The name cannot be resolved.';
      answer = experimental.statusOrFromError({ code: status.UNAVAILABLE, details, metadata: new Metadata() });
    }
    this.#running = false;
    this.#tell(answer, {}, null, '');
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path;
  }
}

experimental.registerResolver(SCHEME, CheckedResolver);

/** Target and options by which grpc keeps this authority, and asks the source where it is. */
export const checkedTarget = (authority: string, source: AddressSource): readonly [string, ChannelOptions] => [
  `${SCHEME}:${authority}`,
  { [SOURCE]: source },
];
