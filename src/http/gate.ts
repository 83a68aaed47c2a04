import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '../auth/authenticator.ts';
import { ANONYMOUS, type Denial, type Door, type Origin, type Principal } from '../auth/principal.ts';
import { Slots } from '../auth/slots.ts';
import { RollcallError } from '../errors.ts';
import { addressKey } from './address.ts';
import { RateLimit, type Standing } from './rate-limit.ts';

/** How much each caller may ask of the server; 0: as much as they like. */
export interface CallerLimits {
  /** Requests per minute of one principal. */
  readonly requests: number;
  /** Requests per minute of one address, whoever asks. */
  readonly addressRequests: number;
  /** Streams of one principal at the same time, over all doors. */
  readonly streams: number;
  /** WebSockets of one principal at the same time. */
  readonly sockets: number;
}

/** Who hears of refusals. */
export interface GateObservers {
  /** Attempts that belong into the audit log: refused tokens, and what the core refuses to who is signed in. */
  readonly denied?: (principal: Principal, denial: Denial) => void;
  /** All refusals, for the metrics. */
  readonly refused?: (code: Denial['code'], door: Door) => void;
}

/** A request that may go on. */
export interface Admission {
  readonly principal: Principal;
  /** How the caller stands; undefined where requests are not counted. */
  readonly standing: Standing | undefined;
}

/** A refused token counts as this many requests of its address: guessing is slower than working. */
const REFUSED_TOKEN_COST = 10;

/** Says who is calling, and whether they ask too much: once for all doors. */
export class Gate {
  readonly mode: Authenticator['mode'];
  readonly #authenticator: Authenticator;
  readonly #requests: RateLimit | undefined;
  readonly #addressRequests: RateLimit | undefined;
  readonly #streams: Slots;
  readonly #sockets: Slots;
  readonly #observers: GateObservers;

  constructor(authenticator: Authenticator, limits: CallerLimits, observers: GateObservers = {}) {
    this.mode = authenticator.mode;
    this.#authenticator = authenticator;
    this.#requests = limits.requests === 0 ? undefined : new RateLimit(limits.requests);
    this.#addressRequests = limits.addressRequests === 0 ? undefined : new RateLimit(limits.addressRequests);
    this.#streams = new Slots('streams', limits.streams, 'MAX_STREAMS_PER_CALLER');
    this.#sockets = new Slots('sockets', limits.sockets, 'MAX_SOCKETS_PER_CALLER');
    this.#observers = observers;
  }

  /** What the limits count a principal by; who has not signed in is told apart by address. */
  keyOf(principal: Principal): string {
    if (!principal.anonymous) return principal.subject;
    return this.addressKeyOf(principal.origin?.address ?? '');
  }

  addressKeyOf = (address: string): string => `address ${addressKey(address)}`;

  /**
   * Finds out who is calling, and counts the request.
   *
   * @throws RollcallError UNAUTHENTICATED; RATE_LIMITED, before the token is even looked at where it is the address that
   *   asks too much.
   */
  async admit(from: Origin, authorization: string | undefined): Promise<Admission> {
    const address = this.addressKeyOf(from.address);
    const byAddress = this.#take(this.#addressRequests, address, 'RATE_LIMIT_PER_ADDRESS', from.door);
    const origin = { ...from, denied: this.#denied };
    let principal: Principal;
    try {
      principal = { ...(await this.#authenticator.authenticate(authorization)), origin };
    } catch (thrown) {
      if (thrown instanceof RollcallError && thrown.code === 'UNAUTHENTICATED') {
        this.#addressRequests?.spend(address, REFUSED_TOKEN_COST - 1);
        this.#denied(
          { ...ANONYMOUS, scopes: new Set(), origin },
          { code: 'UNAUTHENTICATED', operation: 'authenticate' },
        );
      }
      throw thrown;
    }
    return { principal, standing: this.charge(principal) ?? byAddress };
  }

  /** Counts another request of a principal who was admitted, such as an operation on a socket. @throws RollcallError RATE_LIMITED. */
  charge(principal: Principal): Standing | undefined {
    return this.#take(this.#requests, this.keyOf(principal), 'RATE_LIMIT_PER_CALLER', principal.origin?.door);
  }

  /** Takes a place for a stream; answers what gives it back. @throws RollcallError RATE_LIMITED. */
  openStream(principal: Principal): () => void {
    return this.#streams.hold(this.keyOf(principal), principal);
  }

  /** Takes a place for a socket of this key; answers what gives it back. @throws RollcallError RATE_LIMITED. */
  openSocket(key: string): () => void {
    try {
      return this.#sockets.hold(key);
    } catch (refusal) {
      this.refused('RATE_LIMITED', 'websocket');
      throw refusal;
    }
  }

  /** Counts a request by its address alone, where nobody has to sign in. @throws RollcallError RATE_LIMITED. */
  countAddress({ address, door }: Pick<Origin, 'address' | 'door'>): void {
    this.#take(this.#addressRequests, this.addressKeyOf(address), 'RATE_LIMIT_PER_ADDRESS', door);
  }

  /** Tells of a refusal. */
  refused(code: Denial['code'], door: Door): void {
    this.#observers.refused?.(code, door);
  }

  #denied = (principal: Principal, denial: Denial): void => {
    const { code, operation } = denial;
    this.refused(code, principal.origin?.door ?? 'http');
    // The log is of attempts: not of what is asked too often, or without having signed in.
    if (code === 'FORBIDDEN' || operation === 'authenticate') this.#observers.denied?.(principal, denial);
  };

  #take(limit: RateLimit | undefined, key: string, setting: string, door: Door = 'http'): Standing | undefined {
    const standing = limit?.take(key);
    if (limit === undefined || standing === undefined || standing.allowed) return standing;
    const { retryAfterSeconds } = standing;
    this.refused('RATE_LIMITED', door);
    throw new RollcallError(
      'RATE_LIMITED',
      `You ask more than ${limit.perMinute} times a minute (${setting}); try again in ${retryAfterSeconds} s.`,
      { details: { limit: 'requests', maximum: limit.perMinute, retryAfterSeconds } },
    );
  }

  /** The requests that a standing counts down from. */
  get perMinute(): number {
    return this.#requests?.perMinute ?? this.#addressRequests?.perMinute ?? 0;
  }
}

/** The door behind the first segment of a route. */
const DOORS: Readonly<Record<string, Door>> = {
  a2a: 'a2a',
  agents: 'cards',
  graphql: 'graphql',
  metrics: 'metrics',
  subgraph: 'subgraph',
};

/** Which door a request wants. */
export const doorOf = (request: FastifyRequest): Door => DOORS[request.routeOptions.url?.split('/')[1] ?? ''] ?? 'http';

/** Where an HTTP request comes from. */
export const originOf = (request: FastifyRequest): Origin => ({
  door: doorOf(request),
  address: request.ip,
  userAgent: request.headers['user-agent'],
  requestId: request.id,
});

/**
 * Admits an HTTP request: the principal is on it afterwards, and the answer says how the caller stands.
 *
 * @throws as {@link Gate.admit}.
 */
export async function admit(gate: Gate, request: FastifyRequest, reply: FastifyReply): Promise<Principal> {
  const { principal, standing } = await gate.admit(originOf(request), request.headers.authorization);
  request.principal = principal;
  if (standing !== undefined) {
    reply.header('ratelimit-policy', `"requests";q=${gate.perMinute};w=60`);
    reply.header('ratelimit', `"requests";r=${standing.remaining};t=${standing.resetSeconds}`);
  }
  return principal;
}

/** A hook that admits a request before its route runs. */
export const admitted =
  (gate: Gate) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    await admit(gate, request, reply);
  };

/** Says in headers when a refused caller may try again. */
export function sayWhen(reply: FastifyReply, { code, details }: RollcallError): FastifyReply {
  const { retryAfterSeconds, limit, maximum } = details as Record<string, unknown>;
  if (typeof retryAfterSeconds !== 'number') return reply;
  reply.header('retry-after', String(retryAfterSeconds));
  if (code === 'RATE_LIMITED' && limit === 'requests') {
    reply.header('ratelimit-policy', `"requests";q=${String(maximum)};w=60`);
    reply.header('ratelimit', `"requests";r=0;t=${retryAfterSeconds}`);
  }
  return reply;
}
