import { hash } from 'node:crypto';
import type { Principal } from './principal.ts';

/** Tokens that are remembered; the one that was verified first is forgotten first, which costs another verification. */
const MOST_TOKENS = 10_000;

interface Verified {
  readonly principal: Principal;
  readonly keys: unknown;
}

/**
 * The principals of tokens that were verified: a signature costs more than the rest of many a request. A token counts
 * until it expires, and only as long as the keys are those that verified it: with others it is verified again. Tokens
 * themselves are not kept, only what they hash to.
 */
export class VerifiedTokens {
  readonly #most: number;
  readonly #byHash = new Map<string, Verified>();

  constructor(most = MOST_TOKENS) {
    this.#most = most;
  }

  /** @param keys stands for the keys that are known now; undefined: they must be read again, and no token counts. */
  get(token: string, keys: unknown): Principal | undefined {
    if (this.#byHash.size === 0) return undefined;
    const key = digest(token);
    const known = this.#byHash.get(key);
    if (known === undefined) return undefined;
    if (keys !== undefined && known.keys === keys && Date.now() < known.principal.expiresAt!) return known.principal;
    this.#byHash.delete(key);
    return undefined;
  }

  /** @param principal has `expiresAt`. */
  add(token: string, keys: unknown, principal: Principal): void {
    if (this.#byHash.size >= this.#most) this.#byHash.delete(this.#byHash.keys().next().value!);
    this.#byHash.set(digest(token), { principal, keys });
  }

  /** Tokens that are remembered. */
  get size(): number {
    return this.#byHash.size;
  }
}

const digest = (token: string): string => hash('sha256', token, 'base64url');
