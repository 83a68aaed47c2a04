import type { Dispatcher, Pool } from 'undici';
import { RollcallError } from '../../errors.ts';
import type { Deadline } from './deadline.ts';
import { type HeaderMap, requestHeaders, sensitiveNames } from './headers.ts';
import type { PoolSet } from './pools.ts';
import { type EgressMethod, type Hop, isRedirect, nextHop } from './redirects.ts';
import type { HostChecker } from './resolve.ts';
import type { OutboundUrl } from './url.ts';
import type { AnswerHead, ReadOptions } from './whole-answer.ts';

/** A request that may be redirected. */
export interface Followed {
  readonly target: OutboundUrl;
  readonly method?: EgressMethod | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  readonly redirect?: 'follow' | 'refuse' | undefined;
  readonly sensitiveHeaders?: readonly string[] | undefined;
  readonly etag?: string | undefined;
  readonly after?: Promise<void> | undefined;
}

/** One way of reading answers; the body of a redirect is not wanted. @param origin of this hop, for messages */
export type Reading<A extends AnswerHead> = (
  pool: Pool,
  request: Dispatcher.RequestOptions,
  origin: string,
  options: ReadOptions,
) => Promise<A>;

/** Sends requests to where they lead: every hop is checked, and goes over a pool that connects to what was checked. */
export class Follower {
  readonly #checker: HostChecker;
  readonly #pools: PoolSet;
  readonly #maxRedirects: number;
  #closed = false;

  constructor(checker: HostChecker, pools: PoolSet, maxRedirects: number) {
    this.#checker = checker;
    this.#pools = pools;
    this.#maxRedirects = maxRedirects;
  }

  /** No request goes out any more. */
  close(): void {
    this.#closed = true;
  }

  /** @param onHop hears where each request goes */
  async follow<A extends AnswerHead>(
    request: Followed,
    deadline: Deadline,
    read: Reading<A>,
    onHop: (target: OutboundUrl) => void,
  ): Promise<A> {
    const { target, method = 'GET', body } = request;
    const redirect = request.redirect ?? (method === 'GET' || method === 'HEAD' ? 'follow' : 'refuse');
    let hop: Hop = { target, method, headers: requestHeaders(request.headers ?? {}, request.etag), body };
    for (let redirects = 0; ; redirects++) {
      onHop(hop.target);
      const answer = await this.#exchange(hop, request.after, deadline, read);
      const { location } = answer.headers;
      if (!isRedirect(answer.status, location)) return answer;
      const { origin } = hop.target;
      if (redirect === 'refuse') {
        throw new RollcallError(
          'UPSTREAM_INVALID',
          `${origin} answered with a redirect (${answer.status}); give the final URL.`,
        );
      }
      if (redirects === this.#maxRedirects) {
        throw new RollcallError('UPSTREAM_INVALID', `${origin} redirects more than ${this.#maxRedirects} times.`);
      }
      hop = nextHop(hop, answer.status, location, sensitiveNames(request.sensitiveHeaders ?? []));
    }
  }

  async #exchange<A extends AnswerHead>(
    hop: Hop,
    after: Promise<void> | undefined,
    deadline: Deadline,
    read: Reading<A>,
  ): Promise<A> {
    const { origin, host, port, path } = hop.target;
    const { method, headers, body } = hop;
    const addresses = await deadline.race(this.#checker.checkHost(host, port)).catch((error: unknown) => {
      // A host that is refused now may have been permitted before: its open connections must not serve the next call.
      if (error instanceof RollcallError && error.code === 'EGRESS_DENIED') this.#pools.drop(origin);
      throw error;
    });
    if (after !== undefined) await after;
    if (this.#closed) throw new RollcallError('SHUTTING_DOWN', `${origin} was not asked: the server is shutting down.`);
    const request = { path, method, headers, ...(body === undefined ? {} : { body }) };
    return read(this.#pools.get(origin, addresses), request, origin, {
      deadline,
      wantsBody(status, answered) {
        if (isRedirect(status, answered['location'])) return false;
        refuseEncoding(hop, status, answered);
        return true;
      },
    });
  }
}

const BODILESS = new Set([204, 205, 304]);

/** A compressed body would pass the cap on its size small and come out large; nobody decodes here, so nobody is asked to. */
function refuseEncoding(hop: Hop, status: number, headers: HeaderMap): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity' || hop.method === 'HEAD' || BODILESS.has(status)) return;
  throw new RollcallError(
    'UPSTREAM_INVALID',
    `${hop.target.origin} answered ${status} with a compressed body although it was asked not to.`,
  );
}
