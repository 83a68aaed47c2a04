import type { ChannelOptions, Client } from '@grpc/grpc-js';
import { AllowList } from './allow.ts';
import { Deadline } from './deadline.ts';
import { describeFailure } from './failures.ts';
import { Follower, type Reading } from './follow.ts';
import { parseGrpcAddress } from './grpc/address.ts';
import { GrpcClients, type GrpcUse } from './grpc/clients.ts';
import { DEFAULT_LIMITS, type EgressLimits } from './limits.ts';
import { PoolSet } from './pools.ts';
import type { EgressMethod } from './redirects.ts';
import { type CheckedAddress, HostChecker, type Resolver, systemResolver } from './resolve.ts';
import { EgressResponse, type EgressStream } from './response.ts';
import { openStream } from './stream.ts';
import { askForStream } from './streamed-answer.ts';
import { type OutboundUrl, parseOutboundUrl } from './url.ts';
import { type AnswerHead, askForWhole } from './whole-answer.ts';

/** What `fetch` and `stream` have in common. */
export interface EgressRequest {
  /** GET unless said otherwise. */
  readonly method?: EgressMethod;
  readonly headers?: Readonly<Record<string, string>>;
  /** Held in memory, so that a redirect can send it again. */
  readonly body?: string | Uint8Array;
  /** Milliseconds; see {@link EgressLimits.timeoutMs}. */
  readonly timeoutMs?: number;
  /** `follow` re-checks every hop. Default: follow for GET and HEAD, refuse (UPSTREAM_INVALID) for everything else. */
  readonly redirect?: 'follow' | 'refuse';
  /** Headers that hold secrets, besides Authorization and Cookie: dropped when a redirect leads to another origin. */
  readonly sensitiveHeaders?: readonly string[];
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The request goes out once this resolves; its address is checked meanwhile. Must not reject. */
  readonly after?: Promise<void>;
}

export interface EgressFetch extends EgressRequest {
  readonly maxBytes?: number;
  /** Sent as If-None-Match; the answer then may be a 304 without body. */
  readonly etag?: string;
}

export interface EgressStreamRequest extends EgressRequest {
  readonly idleTimeoutMs?: number;
  /** Largest total of the stream; see {@link EgressLimits.maxStreamBytes}. */
  readonly maxBytes?: number;
}

export interface EgressOptions {
  /** EGRESS_ALLOW: CIDRs, addresses and host names that may be reached besides public addresses. */
  readonly allow: readonly string[];
  /** Default: the operating system's. */
  readonly resolve?: Resolver;
  readonly limits?: Partial<EgressLimits>;
}

/** The one door for user-supplied URLs. See {@link createEgress}. */
export class Egress {
  readonly #limits: EgressLimits;
  readonly #allow: AllowList;
  readonly #checker: HostChecker;
  readonly #pools: PoolSet;
  readonly #follower: Follower;
  readonly #grpc: GrpcClients;

  constructor({ allow, resolve = systemResolver, limits = {} }: EgressOptions) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#allow = new AllowList(allow);
    this.#checker = new HostChecker(this.#allow, resolve, this.#limits.dnsTtlMs, this.#limits.maxNames);
    this.#pools = new PoolSet(this.#limits);
    this.#follower = new Follower(this.#checker, this.#pools, this.#limits.maxRedirects);
    this.#grpc = new GrpcClients((host, port) => this.#checker.checkHost(host, port), this.#limits);
  }

  /** Origins that have a pool of connections, for metrics. */
  get poolCount(): number {
    return this.#pools.size;
  }

  /** Servers that gRPC calls share a channel to. */
  get grpcChannelCount(): number {
    return this.#grpc.size;
  }

  /**
   * Whether this URL may be called, without calling it: what registration asks. A host that EGRESS_ALLOW names is not
   * resolved, so that an agent can be registered before its container runs.
   *
   * @param field how the caller knows this input; it begins the message about a malformed URL.
   * @throws RollcallError INVALID_INPUT, EGRESS_DENIED (naming the entry to add), UPSTREAM_UNREACHABLE (no such name),
   * UPSTREAM_TIMEOUT.
   */
  async check(url: string, field = 'url'): Promise<void> {
    await this.#checkTarget(parseOutboundUrl(url, field));
  }

  /** As {@link check}, for a gRPC address: `host:port`, or a URL with the scheme grpc, grpcs, http or https. */
  async checkGrpc(address: string, field = 'url'): Promise<void> {
    await this.#checkTarget(parseGrpcAddress(address, field));
  }

  /**
   * A gRPC client for one call, over a channel that calls to this server share: its host was checked just now, it
   * connects to the checked addresses only, keeps the name for :authority and TLS, and is closed when it was idle.
   * TLS: see {@link parseGrpcAddress}. Where no connection can be made, the call fails at once with UNAVAILABLE.
   *
   * @throws RollcallError INVALID_INPUT, EGRESS_DENIED, UPSTREAM_UNREACHABLE (no such name), UPSTREAM_TIMEOUT,
   * SHUTTING_DOWN; the signal's reason on abort.
   */
  async grpc(address: string, signal?: AbortSignal): Promise<GrpcUse> {
    return this.#grpc.use(parseGrpcAddress(address), signal);
  }

  /**
   * A gRPC client with a channel of its own, for who keeps it; to be closed by its user, and closed with this door. The
   * host is checked now, at every connection, and again during use, at most once in {@link EgressLimits.dnsTtlMs}:
   * once it is refused, or has other addresses, calls no longer use the old connection.
   *
   * @param options `tls` decides where the address has no scheme; the channel's options are the user's own, but for
   * those that keep it to the checked addresses.
   * @throws RollcallError as {@link grpc} does.
   */
  async grpcClient(
    address: string,
    options: { readonly tls?: boolean; readonly channel?: ChannelOptions } = {},
  ): Promise<Client> {
    const target = parseGrpcAddress(address, 'address', options.tls);
    await this.#checker.checkHost(target.host, target.port);
    return this.#grpc.open(target, options.channel ?? {});
  }

  async #checkTarget({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    if (this.#allow.allowsHost(host)) return;
    const deadline = new Deadline(this.#limits.timeoutMs, `${host} could not be resolved`, undefined);
    try {
      await deadline.race(this.#checker.checkHost(host, port));
    } finally {
      deadline.release();
    }
  }

  /**
   * All addresses of a host, every one of them permitted: for clients that make their own connections. Connect
   * to nothing but what this returns, and ask again after a few seconds.
   *
   * @throws RollcallError INVALID_INPUT, EGRESS_DENIED, UPSTREAM_UNREACHABLE.
   */
  checkHost(host: string, port: number): Promise<readonly CheckedAddress[]> {
    return this.#checker.checkHost(host, port);
  }

  /**
   * One request and its whole answer, whatever its status.
   *
   * @throws RollcallError INVALID_INPUT, EGRESS_DENIED, UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT, UPSTREAM_INVALID (not
   * HTTP, compressed, a redirect that is refused), PAYLOAD_TOO_LARGE, SHUTTING_DOWN; the signal's reason on abort.
   */
  async fetch(url: string, request: EgressFetch = {}): Promise<EgressResponse> {
    const maxBytes = request.maxBytes ?? this.#limits.maxBytes;
    const { at, deadline, answer } = this.#send(url, request, (pool, options, origin, reading) =>
      askForWhole(pool, options, { ...reading, maxBytes, origin }),
    );
    try {
      const { status, headers, bytes } = await answer;
      return new EgressResponse(status, headers, at().href, at().origin, bytes);
    } catch (error) {
      throw describeFailure(error, at().origin, request.signal);
    } finally {
      deadline.release();
    }
  }

  /**
   * One request whose answer is read as it arrives (server-sent events): `timeoutMs` runs until the headers are there,
   * `idleTimeoutMs` between chunks.
   *
   * @throws RollcallError as {@link fetch} does.
   */
  async stream(url: string, request: EgressStreamRequest = {}): Promise<EgressStream> {
    const { at, deadline, answer } = this.#send(url, request, (pool, options, _origin, reading) =>
      askForStream(pool, options, reading),
    );
    const describe = (error: unknown): unknown => describeFailure(error, at().origin, request.signal);
    try {
      const streamed = await answer;
      deadline.stopTimer();
      return openStream({
        ...streamed,
        url: at().href,
        origin: at().origin,
        deadline,
        idleTimeoutMs: request.idleTimeoutMs ?? this.#limits.idleTimeoutMs,
        maxBytes: request.maxBytes ?? this.#limits.maxStreamBytes,
        maxDocumentBytes: this.#limits.maxBytes,
        describe,
      });
    } catch (error) {
      deadline.release();
      throw describe(error);
    }
  }

  /** Ends every connection. What is still running fails with SHUTTING_DOWN. */
  async close(): Promise<void> {
    this.#follower.close();
    this.#grpc.close();
    await this.#pools.destroy();
  }

  /** Sends a request on its way; `at` says where it is, redirects included. */
  #send<A extends AnswerHead>(url: string, request: EgressRequest & Pick<EgressFetch, 'etag'>, read: Reading<A>) {
    const target = parseOutboundUrl(url);
    const { timeoutMs = this.#limits.timeoutMs, signal } = request;
    const deadline = new Deadline(timeoutMs, `${target.origin} did not answer`, signal);
    let last = target;
    const answer = this.#follower.follow({ ...request, target }, deadline, read, (hop) => {
      last = hop;
    });
    return { at: (): OutboundUrl => last, deadline, answer };
  }
}
