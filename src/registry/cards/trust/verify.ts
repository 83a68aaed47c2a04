import { decodeProtectedHeader, flattenedVerify, importJWK, type JWK } from 'jose';
import { readSignedCard, type WireSignature } from '../../../protocol/a2a/card/index.ts';

/**
 * What became of a card's signatures:
 * - `not_checked`: CARD_SIGNATURES is off;
 * - `unsigned`: it has none;
 * - `no_key`: it has some, and no key is pinned for its provider;
 * - `invalid`: none of them holds under a pinned key;
 * - `verified`: one does.
 */
export const CARD_VERIFICATIONS = ['not_checked', 'unsigned', 'no_key', 'invalid', 'verified'] as const;
export type CardVerificationState = (typeof CARD_VERIFICATIONS)[number];

export interface CardVerification {
  readonly state: CardVerificationState;
  /** The pinned key that verified it. */
  readonly keyId: string | null;
}

/** A pinned key. */
export interface CardKey {
  readonly kid: string;
  readonly jwk: JWK;
}

/** Public keys only: a MAC would need a secret that both sides know, and `none` needs nothing. */
export const CARD_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'EdDSA', 'Ed25519'];

/** Verifies a card as it came. `kid` and `jku` in it are hints from whoever wrote it: only pinned keys are tried, and nothing is fetched. */
export async function verifyCard(body: Uint8Array, keys: readonly CardKey[]): Promise<CardVerification> {
  const { signatures, payloads } = readSignedCard(body);
  if (signatures.length === 0) return { state: 'unsigned', keyId: null };
  if (keys.length === 0) return { state: 'no_key', keyId: null };
  for (const signature of signatures) {
    for (const key of inOrder(keys, signature)) {
      for (const payload of payloads) {
        if (await holds(signature, payload, key)) return { state: 'verified', keyId: key.kid };
      }
    }
  }
  return { state: 'invalid', keyId: null };
}

/** The key that the signature names first, if it is pinned. */
function inOrder(keys: readonly CardKey[], signature: WireSignature): readonly CardKey[] {
  let kid: unknown;
  try {
    kid = decodeProtectedHeader({ ...signature, payload: '' }).kid;
  } catch {
    return [];
  }
  return keys.toSorted((a, b) => Number(b.kid === kid) - Number(a.kid === kid));
}

async function holds(signature: WireSignature, payload: string, { jwk }: CardKey): Promise<boolean> {
  try {
    const { alg } = decodeProtectedHeader({ ...signature, payload: '' });
    const key = await importJWK(jwk, alg);
    const jws = { ...signature, payload: Buffer.from(payload).toString('base64url') };
    await flattenedVerify(jws, key, { algorithms: CARD_ALGORITHMS });
    return true;
  } catch {
    return false;
  }
}
