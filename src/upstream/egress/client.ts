import type { ChannelOptions, Client } from '@grpc/grpc-js';
import type { Dispatcher, Pool } from 'undici';
import { RollcallError } from '../../errors.ts';
import { AllowList } from './allow.ts';
import { Deadline } from './deadline.ts';
import { describeFailure } from './failures.ts';
import { parseGrpcAddress } from './grpc/address.ts';
import { GrpcClients, type GrpcUse } from './grpc/clients.ts';
import { type HeaderMap, requestHeaders, responseHeaders, sensitiveNames } from './headers.ts';
import { DEFAULT_LIMITS, type EgressLimits } from './limits.ts';
import { PoolSet } from './pools.ts';
import { type EgressMethod, type Hop, isRedirect, nextHop } from './redirects.ts';
import { type CheckedAddress, HostChecker, type Resolver, systemResolver } from './resolve.ts';
import { EgressResponse, type EgressStream } from './response.ts';
import { openStream } from './stream.ts';
import { type OutboundUrl, parseOutboundUrl } from './url.ts';
import { askForWhole } from './whole-answer.ts';

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
}

export interface EgressFetch extends EgressRequest {
  readonly maxBytes?: number;
  /** Sent as If-None-Match; the answer then may be a 304 without body. */
  readonly etag?: string;
}

export interface EgressStreamRequest extends EgressRequest {
  readonly idleTimeoutMs?: number;
  /** Largest total of the stream; unlimited unless said otherwise. */
  readonly maxBytes?: number;
}

export interface EgressOptions {
  /** EGRESS_ALLOW: CIDRs, addresses and host names that may be reached besides public addresses. */
  readonly allow: readonly string[];
  /** Default: the operating system's. */
  readonly resolve?: Resolver;
  readonly limits?: Partial<EgressLimits>;
}

/** The head of an answer, and what a way of reading it adds. */
interface Answer {
  readonly status: number;
  readonly headers: HeaderMap;
}

interface StreamedAnswer extends Answer {
  readonly body: Dispatcher.ResponseData['body'];
}

/** One way of reading answers. */
interface Reading<A extends Answer> {
  /** Sends a request over a pool whose addresses were checked. */
  ask(pool: Pool, request: Dispatcher.RequestOptions, hop: Hop): Promise<A>;
  /** Gives up the body of an answer that is not the last one. */
  discard(answer: A): void;
}

/** The one door for user-supplied URLs. See {@link createEgress}. */
export class Egress {
  readonly #limits: EgressLimits;
  readonly #allow: AllowList;
  readonly #checker: HostChecker;
  readonly #pools: PoolSet;
  readonly #grpc: GrpcClients;
  #closed = false;

  constructor({ allow, resolve = systemResolver, limits = {} }: EgressOptions) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#allow = new AllowList(allow);
    this.#checker = new HostChecker(this.#allow, resolve, this.#limits.dnsTtlMs, this.#limits.maxNames);
    this.#pools = new PoolSet(this.#limits);
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
    const target = parseOutboundUrl(url);
    const maxBytes = request.maxBytes ?? this.#limits.maxBytes;
    const deadline = this.#deadline(target, request);
    let origin = target.origin;
    try {
      const wantsBody = (hop: Hop) => (status: number, headers: HeaderMap) => {
        if (isRedirect(status, headers['location'])) return false;
        refuseEncoding(hop, status, headers);
        return true;
      };
      const { answer, hop } = await this.#follow(target, request, request.etag, deadline, {
        ask(pool, options, hop) {
          origin = hop.target.origin;
          return askForWhole(pool, options, { maxBytes, origin, deadline, wantsBody: wantsBody(hop) });
        },
        discard: () => undefined,
      });
      return new EgressResponse(answer.status, answer.headers, hop.target.href, origin, answer.bytes);
    } catch (error) {
      throw describeFailure(error, origin, request.signal);
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
    const target = parseOutboundUrl(url);
    const deadline = this.#deadline(target, request);
    let origin = target.origin;
    try {
      const { answer, hop } = await this.#follow<StreamedAnswer>(target, request, undefined, deadline, {
        async ask(pool, options, hop) {
          origin = hop.target.origin;
          const { statusCode, headers, body } = await deadline.race(
            pool.request({ ...options, signal: deadline.signal }),
          );
          // An aborted body reports its error to its reader; without a listener a body nobody reads would end the process.
          body.on('error', () => {});
          const answer = { status: statusCode, headers: responseHeaders(headers), body };
          if (!isRedirect(statusCode, answer.headers['location']))
            refuseEncoding(hop, statusCode, answer.headers, body);
          return answer;
        },
        discard: ({ body }) => body.destroy(),
      });
      deadline.stopTimer();
      return openStream({
        ...answer,
        url: hop.target.href,
        origin,
        deadline,
        idleTimeoutMs: request.idleTimeoutMs ?? this.#limits.idleTimeoutMs,
        maxBytes: request.maxBytes ?? Number.POSITIVE_INFINITY,
        maxDocumentBytes: this.#limits.maxBytes,
        describe: (error) => describeFailure(error, origin, request.signal),
      });
    } catch (error) {
      deadline.release();
      throw describeFailure(error, origin, request.signal);
    }
  }

  /** Ends every connection. What is still running fails with SHUTTING_DOWN. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#grpc.close();
    await this.#pools.destroy();
  }

  #deadline(target: OutboundUrl, request: EgressRequest): Deadline {
    return new Deadline(request.timeoutMs ?? this.#limits.timeoutMs, `${target.origin} did not answer`, request.signal);
  }

  async #follow<A extends Answer>(
    target: OutboundUrl,
    request: EgressRequest,
    etag: string | undefined,
    deadline: Deadline,
    reading: Reading<A>,
  ): Promise<{ readonly answer: A; readonly hop: Hop }> {
    const method = request.method ?? 'GET';
    const redirect = request.redirect ?? (method === 'GET' || method === 'HEAD' ? 'follow' : 'refuse');
    let hop: Hop = { target, method, headers: requestHeaders(request.headers ?? {}, etag), body: request.body };
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#exchange(hop, deadline, reading);
      const { status, headers } = answer;
      const { location } = headers;
      if (!isRedirect(status, location)) return { answer, hop };
      reading.discard(answer);
      const { origin } = hop.target;
      if (redirect === 'refuse') {
        throw new RollcallError(
          'UPSTREAM_INVALID',
          `${origin} answered with a redirect (${status}); give the final URL.`,
        );
      }
      if (redirects === this.#limits.maxRedirects) {
        throw new RollcallError(
          'UPSTREAM_INVALID',
          `${origin} redirects more than ${this.#limits.maxRedirects} times.`,
        );
      }
      hop = nextHop(hop, status, location, sensitiveNames(request.sensitiveHeaders ?? []));
    }
  }

  async #exchange<A extends Answer>(hop: Hop, deadline: Deadline, reading: Reading<A>): Promise<A> {
    const { origin, host, port, path } = hop.target;
    let addresses: readonly CheckedAddress[];
    try {
      addresses = await deadline.race(this.#checker.checkHost(host, port));
    } catch (error) {
      // A host that is refused now may have been permitted before: its open connections must not serve the next call.
      if (error instanceof RollcallError && error.code === 'EGRESS_DENIED') this.#pools.drop(origin);
      throw error;
    }
    if (this.#closed) throw new RollcallError('SHUTTING_DOWN', `${origin} was not asked: the server is shutting down.`);
    const { method, headers, body } = hop;
    const request = { path, method, headers, ...(body === undefined ? {} : { body }) };
    return reading.ask(this.#pools.get(origin, addresses), request, hop);
  }
}

const BODILESS = new Set([204, 205, 304]);

/** A compressed body would pass the cap on its size small and come out large; nobody decodes here, so nobody is asked to. */
function refuseEncoding(hop: Hop, status: number, headers: HeaderMap, body?: StreamedAnswer['body']): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity' || hop.method === 'HEAD' || BODILESS.has(status)) return;
  body?.destroy();
  throw new RollcallError(
    'UPSTREAM_INVALID',
    `${hop.target.origin} answered ${status} with a compressed body although it was asked not to.`,
  );
}
