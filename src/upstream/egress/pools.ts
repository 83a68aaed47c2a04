import type { LookupFunction } from 'node:net';
import { Pool } from 'undici';
import type { CheckedAddress } from './resolve.ts';

/** What every pool of connections is built with. */
export interface PoolLimits {
  readonly maxPools: number;
  readonly connectionsPerOrigin: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
}

interface Entry {
  readonly pool: Pool;
  /** The addresses this pool may connect to, as one string. */
  readonly pinned: string;
}

/** Answers with the checked addresses instead of asking the DNS again: a second answer could be another one. */
const pinnedLookup = (addresses: readonly CheckedAddress[]): LookupFunction => {
  const all = addresses.map(({ address, family }) => ({ address, family }));
  return (_host, options, done) => {
    const wanted = options.family === 4 || options.family === 6 ? options.family : undefined;
    const fitting = all.filter(({ family }) => wanted === undefined || family === wanted);
    const [first] = fitting;
    if (first === undefined) done(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '', 0);
    else if (options.all) done(null, fitting);
    else done(null, first.address, first.family);
  };
};

/**
 * One pool of kept-alive connections per origin, each bound to the addresses that were checked when it was made. When
 * the check yields other addresses the pool is replaced; the least recently used one goes when there are too many.
 * What goes ends gracefully: its running calls finish on the address they were checked for.
 */
export class PoolSet {
  readonly #limits: PoolLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #retired = new Set<Pool>();

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** Pools that take new requests. */
  get size(): number {
    return this.#entries.size;
  }

  /** The pool for this origin, bound to exactly these addresses. */
  get(origin: string, addresses: readonly CheckedAddress[]): Pool {
    const pinned = addresses
      .map(({ address }) => address)
      .sort()
      .join(' ');
    const known = this.#entries.get(origin);
    if (known !== undefined && known.pinned === pinned) {
      this.#entries.delete(origin);
      this.#entries.set(origin, known);
      return known.pool;
    }
    this.drop(origin);
    const pool = this.#open(origin, addresses);
    this.#entries.set(origin, { pool, pinned });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.maxPools) break;
      this.drop(oldest);
    }
    return pool;
  }

  /** Lets the pool of this origin finish what runs, and takes no new request for it. */
  drop(origin: string): void {
    const entry = this.#entries.get(origin);
    if (entry === undefined) return;
    this.#entries.delete(origin);
    this.#retired.add(entry.pool);
    const gone = () => this.#retired.delete(entry.pool);
    entry.pool.close().then(gone, gone);
  }

  /** Ends every connection, running calls included. */
  async destroy(): Promise<void> {
    const pools = [...[...this.#entries.values()].map(({ pool }) => pool), ...this.#retired];
    this.#entries.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(origin: string, addresses: readonly CheckedAddress[]): Pool {
    return new Pool(origin, {
      connections: this.#limits.connectionsPerOrigin,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: this.#limits.keepAliveMs,
      maxHeaderSize: this.#limits.maxHeaderBytes,
      // Deadlines are the caller's timers: undici's own fire up to a second late.
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: this.#limits.connectTimeoutMs,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 1_000,
      connect: { lookup: pinnedLookup(addresses) },
    });
  }
}
