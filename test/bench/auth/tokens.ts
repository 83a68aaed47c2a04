import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { SCOPES } from '../../../src/auth/principal.ts';

export const SECRET = 'a secret of the benchmark, thirty-two characters or more';

/** A token as callers send it. */
export interface SignedToken {
  readonly name: string;
  readonly token: string;
  /** Verified with {@link SECRET}; otherwise with a key of the set. */
  readonly secret: boolean;
}

/** Tokens that last for the run, and the public keys that verify them. */
export async function makeTokens(
  subject: string,
): Promise<{ readonly jwks: { readonly keys: readonly JWK[] }; readonly tokens: readonly SignedToken[] }> {
  const scope = SCOPES.filter((one) => !one.includes('admin')).join(' ');
  const sign = (alg: string, key: Parameters<SignJWT['sign']>[0], kid?: string): Promise<string> =>
    new SignJWT({ scope })
      .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime('2h')
      .sign(key);
  const tokens = [{ name: 'HS256', token: await sign('HS256', new TextEncoder().encode(SECRET)), secret: true }];
  const keys: JWK[] = [];
  for (const alg of ['RS256', 'ES256']) {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    keys.push({ ...(await exportJWK(publicKey)), alg, kid: alg, use: 'sig' });
    tokens.push({ name: alg, token: await sign(alg, privateKey, alg), secret: false });
  }
  return { jwks: { keys }, tokens };
}
