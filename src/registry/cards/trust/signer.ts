import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, FlattenedSign, type JWK } from 'jose';
import { invalid } from '../../../errors.ts';
import { signingPayload } from '../../../protocol/a2a/card/index.ts';

/** Signs the 1.0 cards that this server serves. */
export interface CardSigner {
  readonly keyId: string;
  /** For `/.well-known/jwks.json`. */
  readonly publicKey: JWK;
  /** @param jku where the public key is published @returns the card with one signature (A2A 1.0 §8.4) */
  sign(card: object, jku: string): Promise<object>;
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

/**
 * The signer of a private key.
 *
 * @param text a PEM (PKCS#8, SEC 1 or PKCS#1) or a JSON Web Key: EC P-256, P-384 or P-521, Ed25519, or RSA from 2048 bits
 * @throws RollcallError INVALID_INPUT naming CARD_SIGNING_KEY; nothing of the key is in it.
 */
export async function createCardSigner(text: string): Promise<CardSigner> {
  const { key, kid } = readPrivateKey(text);
  const alg = algorithmOf(key);
  if (alg === undefined) {
    throw invalid(
      'CARD_SIGNING_KEY',
      'the key must be EC (P-256, P-384, P-521), Ed25519, or RSA with 2048 bits or more',
    );
  }
  const jwk = await exportJWK(createPublicKey(key));
  const keyId = kid ?? (await calculateJwkThumbprint(jwk));
  return {
    keyId,
    publicKey: { ...jwk, kid: keyId, alg, use: 'sig' },
    async sign(card, jku) {
      const jws = await new FlattenedSign(new TextEncoder().encode(signingPayload(card)))
        .setProtectedHeader({ alg, typ: 'JOSE', kid: keyId, jku })
        .sign(key);
      return { ...card, signatures: [{ protected: jws.protected, signature: jws.signature }] };
    },
  };
}

function readPrivateKey(text: string): { readonly key: KeyObject; readonly kid?: string | undefined } {
  try {
    if (!text.trimStart().startsWith('{')) return { key: createPrivateKey(text) };
    const jwk = JSON.parse(text) as JWK;
    return { key: createPrivateKey({ key: jwk as never, format: 'jwk' }), kid: jwk.kid };
  } catch {
    // Its own words may quote the key.
    throw invalid('CARD_SIGNING_KEY', 'the file holds no private key in PEM or JSON Web Key form');
  }
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (asymmetricKeyType === 'ec') return CURVES[asymmetricKeyDetails?.namedCurve ?? ''];
  return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 ? 'PS256' : undefined;
}
