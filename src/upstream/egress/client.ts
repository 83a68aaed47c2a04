import type { Dispatcher } from 'undici';
import { RollcallError } from '../../errors.ts';
import { AllowList } from './allow.ts';
import { Deadline } from './deadline.ts';
import { describeFailure } from './failures.ts';
import { type HeaderMap, requestHeaders, responseHeaders, sensitiveNames } from './headers.ts';
import { DEFAULT_LIMITS, type EgressLimits } from './limits.ts';
import { PoolSet } from './pools.ts';
import { type EgressMethod, type Hop, isRedirect, nextHop } from './redirects.ts';
import { type CheckedAddress, HostChecker, type Resolver, systemResolver } from './resolve.ts';
import { collect, EgressResponse, type EgressStream, tooLarge } from './response.ts';
import { openStream } from './stream.ts';
import { type OutboundUrl, parseOutboundUrl } from './url.ts';

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

interface Answer {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly body: Dispatcher.ResponseData['body'];
  readonly hop: Hop;
}

/** The one door for user-supplied URLs. See {@link createEgress}. */
export class Egress {
  readonly #limits: EgressLimits;
  readonly #allow: AllowList;
  readonly #checker: HostChecker;
  readonly #pools: PoolSet;
  #closed = false;

  constructor({ allow, resolve = systemResolver, limits = {} }: EgressOptions) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#allow = new AllowList(allow);
    this.#checker = new HostChecker(this.#allow, resolve, this.#limits.dnsTtlMs, this.#limits.maxNames);
    this.#pools = new PoolSet(this.#limits);
  }

  /** Origins that have a pool of connections, for metrics. */
  get poolCount(): number {
    return this.#pools.size;
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
    const target = parseOutboundUrl(url, field);
    if (this.#allow.allowsHost(target.host)) return;
    const deadline = new Deadline(this.#limits.timeoutMs, `${target.host} could not be resolved`, undefined);
    try {
      await deadline.race(this.#checker.checkHost(target.host, target.port));
    } finally {
      deadline.release();
    }
  }

  /**
   * All addresses of a host, every one of them permitted: for clients that make their own connections (gRPC). Connect
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
      const answer = await this.#follow(target, request, request.etag, deadline, (hop) => {
        origin = hop.target.origin;
      });
      const announced = answer.hop.method === 'HEAD' ? 0 : Number(answer.headers['content-length'] ?? 0);
      if (announced > maxBytes) {
        answer.body.destroy();
        throw tooLarge(origin, maxBytes);
      }
      const bytes = await collect(answer.body, maxBytes, origin);
      return new EgressResponse(answer.status, answer.headers, answer.hop.target.href, origin, bytes);
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
      const answer = await this.#follow(target, request, undefined, deadline, (hop) => {
        origin = hop.target.origin;
      });
      deadline.stopTimer();
      return openStream({
        ...answer,
        url: answer.hop.target.href,
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
    await this.#pools.destroy();
  }

  #deadline(target: OutboundUrl, request: EgressRequest): Deadline {
    return new Deadline(request.timeoutMs ?? this.#limits.timeoutMs, `${target.origin} did not answer`, request.signal);
  }

  async #follow(
    target: OutboundUrl,
    request: EgressRequest,
    etag: string | undefined,
    deadline: Deadline,
    onHop: (hop: Hop) => void,
  ): Promise<Answer> {
    const method = request.method ?? 'GET';
    const redirect = request.redirect ?? (method === 'GET' || method === 'HEAD' ? 'follow' : 'refuse');
    const sensitive = sensitiveNames(request.sensitiveHeaders ?? []);
    let hop: Hop = { target, method, headers: requestHeaders(request.headers ?? {}, etag), body: request.body };
    for (let redirects = 0; ; redirects++) {
      onHop(hop);
      const { statusCode: status, headers: raw, body } = await this.#exchange(hop, deadline);
      // An aborted body reports its error to its reader; without a listener a body nobody reads would end the process.
      body.on('error', () => {});
      const headers = responseHeaders(raw);
      if (!isRedirect(status, headers.location)) {
        refuseEncoding(hop, status, headers, body);
        return { status, headers, body, hop };
      }
      body.destroy();
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
      hop = nextHop(hop, status, headers.location, sensitive);
    }
  }

  async #exchange(hop: Hop, deadline: Deadline): Promise<Dispatcher.ResponseData> {
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
    const pool = this.#pools.get(origin, addresses);
    return deadline.race(
      pool.request({
        path,
        method: hop.method,
        headers: hop.headers,
        signal: deadline.signal,
        ...(hop.body === undefined ? {} : { body: hop.body }),
      }),
    );
  }
}

const BODILESS = new Set([204, 205, 304]);

/** A compressed body would pass the cap on its size small and come out large; nobody decodes here, so nobody is asked to. */
function refuseEncoding(hop: Hop, status: number, headers: HeaderMap, body: Answer['body']): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity' || hop.method === 'HEAD' || BODILESS.has(status)) return;
  body.destroy();
  throw new RollcallError(
    'UPSTREAM_INVALID',
    `${hop.target.origin} answered ${status} with a compressed body although it was asked not to.`,
  );
}
