/** How a caller stands after a request. */
export interface Standing {
  readonly allowed: boolean;
  /** Requests that may follow at once. */
  readonly remaining: number;
  /** Whole seconds until a refused request would be allowed; 0 where it was. */
  readonly retryAfterSeconds: number;
  /** Whole seconds until the whole allowance is back. */
  readonly resetSeconds: number;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was right; milliseconds of the clock. */
  at: number;
}

/** Callers that are remembered; the one that was silent for longest is forgotten, which gives it its allowance back. */
const MOST_KEYS = 50_000;
const MINUTE_MS = 60_000;

/** A token bucket per key: a burst of a minute's allowance, then as many as flow back. */
export class RateLimit {
  readonly perMinute: number;
  readonly #most: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perMinute: number, { most = MOST_KEYS, now = () => performance.now() } = {}) {
    this.perMinute = perMinute;
    this.#most = most;
    this.#now = now;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes `cost` from the key's allowance, or nothing where that is not there. */
  take(key: string, cost = 1): Standing {
    const bucket = this.#fill(key);
    const allowed = bucket.tokens >= cost;
    if (allowed) bucket.tokens -= cost;
    return this.#standing(bucket, allowed, cost);
  }

  /** Takes `cost` whatever is there: for what has happened already. It leaves a debt of one minute at most. */
  spend(key: string, cost: number): void {
    const bucket = this.#fill(key);
    bucket.tokens = Math.max(-this.perMinute, bucket.tokens - cost);
  }

  #fill(key: string): Bucket {
    const now = this.#now();
    const known = this.#buckets.get(key);
    const bucket = known ?? { tokens: this.perMinute, at: now };
    bucket.tokens = Math.min(this.perMinute, bucket.tokens + ((now - bucket.at) * this.perMinute) / MINUTE_MS);
    bucket.at = now;
    // Put back at the end: the map's order is that of the last use.
    if (known !== undefined) this.#buckets.delete(key);
    else if (this.#buckets.size >= this.#most) this.#buckets.delete(this.#buckets.keys().next().value!);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #standing({ tokens }: Bucket, allowed: boolean, cost: number): Standing {
    const seconds = (missing: number): number => Math.max(0, Math.ceil((missing * 60) / this.perMinute));
    return {
      allowed,
      remaining: Math.max(0, Math.floor(tokens)),
      retryAfterSeconds: allowed ? 0 : Math.max(1, seconds(cost - tokens)),
      resetSeconds: seconds(this.perMinute - tokens),
    };
  }
}
