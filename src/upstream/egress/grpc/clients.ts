import { createSecureContext } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, Client, credentials } from '@grpc/grpc-js';
import { RollcallError } from '../../../errors.ts';
import { Deadline } from '../deadline.ts';
import type { GrpcAddress } from './address.ts';
import { type Check, PinnedChannel } from './channel.ts';
import { connected } from './connect.ts';

export interface GrpcLimits {
  /** Servers with a channel of their own; the least recently used one goes. */
  readonly maxPools: number;
  /** Until a connection is there, the lookup included; milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a checked DNS answer is used; milliseconds. */
  readonly dnsTtlMs: number;
  /** Largest message that is taken; bytes. */
  readonly maxBytes: number;
  /** How long an unused connection stays open; milliseconds. */
  readonly grpcIdleMs: number;
}

/** A connected client for one call. */
export interface GrpcUse {
  readonly client: Client;
  /** Aborts with SHUTTING_DOWN when the door closes: running calls are to end then. */
  readonly closing: AbortSignal;
}

interface Opened {
  readonly client: Client;
  readonly channel: PinnedChannel;
  /** Calls that wait for the connection: it must not be closed under them. */
  waiting: number;
}

/** Opens gRPC channels: those that calls share, and those that somebody holds. */
export class GrpcClients {
  readonly #check: Check;
  readonly #limits: GrpcLimits;
  readonly #shared = new Map<string, Opened>();
  readonly #held = new Set<PinnedChannel>();
  readonly #closing = new AbortController();
  #tls: ChannelCredentials | undefined;

  constructor(check: Check, limits: GrpcLimits) {
    this.#check = check;
    this.#limits = limits;
  }

  /** Servers that calls share a channel to. */
  get size(): number {
    return this.#shared.size;
  }

  /**
   * A client whose host was checked just now, connected unless that failed: then the call fails at once and says why.
   *
   * @throws RollcallError EGRESS_DENIED, UPSTREAM_UNREACHABLE (no such name), UPSTREAM_TIMEOUT, SHUTTING_DOWN; the
   * signal's reason on abort.
   */
  async use(address: GrpcAddress, caller: AbortSignal | undefined): Promise<GrpcUse> {
    const { authority } = address;
    const { connectTimeoutMs } = this.#limits;
    const deadline = new Deadline(connectTimeoutMs, `${authority} did not accept a connection`, caller);
    const key = `${address.tls} ${authority}`;
    let opened: Opened | undefined;
    try {
      opened = this.#sharedFor(key, address);
      const { channel, client } = opened;
      opened.waiting++;
      await deadline.race(channel.verify()).catch((error: unknown) => {
        if (error instanceof RollcallError && error.code === 'EGRESS_DENIED') this.#drop(key);
        throw error;
      });
      await connected(client, authority, connectTimeoutMs, deadline.signal);
      if (this.#closing.signal.aborted) throw this.#closing.signal.reason as RollcallError;
      return { client, closing: this.#closing.signal };
    } finally {
      if (opened !== undefined) opened.waiting--;
      deadline.release();
    }
  }

  /** A client of its own, closed by whoever asked for it. @throws RollcallError SHUTTING_DOWN. */
  open(address: GrpcAddress, options: ChannelOptions): Client {
    const { client, channel } = this.#open(address, options, (closed) => this.#held.delete(closed));
    this.#held.add(channel);
    return client;
  }

  /** Ends every connection; running calls have heard of it by {@link GrpcUse.closing}. */
  close(): void {
    this.#closing.abort(new RollcallError('SHUTTING_DOWN', 'The call was ended: the server is shutting down.'));
    for (const { client } of this.#shared.values()) client.close();
    for (const channel of [...this.#held]) channel.close();
    this.#shared.clear();
  }

  #sharedFor(key: string, address: GrpcAddress): Opened {
    const known = this.#shared.get(key);
    const opened = known ?? this.#open(address, this.#sharedOptions(), () => undefined);
    this.#shared.delete(key);
    this.#shared.set(key, opened);
    for (const [oldest, { waiting }] of this.#shared) {
      if (this.#shared.size <= this.#limits.maxPools) break;
      if (waiting === 0 && oldest !== key) this.#drop(oldest);
    }
    return opened;
  }

  #drop(key: string): void {
    this.#shared.get(key)?.client.close();
    this.#shared.delete(key);
  }

  #sharedOptions(): ChannelOptions {
    const { maxBytes, grpcIdleMs } = this.#limits;
    return {
      'grpc.max_receive_message_length': maxBytes,
      // What is sent was taken in under a limit of ours before.
      'grpc.max_send_message_length': -1,
      'grpc.client_idle_timeout_ms': grpcIdleMs,
      // A server that restarts is back within seconds; grpc's own pause grows to two minutes.
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 2_000,
      // Finds connections whose other end vanished without a word. Servers cut clients off that ping quiet calls more
      // often than every five minutes.
      'grpc.keepalive_time_ms': 330_000,
      'grpc.keepalive_timeout_ms': 20_000,
      // Whether a message may be sent twice is not for a transport to decide.
      'grpc.enable_retries': 0,
    };
  }

  #open(address: GrpcAddress, options: ChannelOptions, onClose: (channel: PinnedChannel) => void): Opened {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason as RollcallError;
    // Not createSsl(): an environment variable of grpc's own would replace the certificates that HTTPS trusts.
    this.#tls ??= credentials.createFromSecureContext(createSecureContext());
    const creds = address.tls ? this.#tls : credentials.createInsecure();
    const channel = new PinnedChannel(address, creds, options, this.#check, this.#limits.dnsTtlMs, onClose);
    return { channel, waiting: 0, client: new Client(address.authority, creds, { channelOverride: channel }) };
  }
}
