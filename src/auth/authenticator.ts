import {
  createRemoteJWKSet,
  errors,
  type JWKSCacheInput,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwksCache,
  jwtVerify,
  SignJWT,
} from 'jose';
import { v5 } from 'uuid';
import { isUuid } from '../database/ids.ts';
import { RollcallError } from '../errors.ts';
import { ANONYMOUS, LOCAL_USER, type Principal, SCOPES, type Scope } from './principal.ts';
import { VerifiedTokens } from './verified-tokens.ts';

/** Says who is calling. */
export interface Authenticator {
  readonly mode: 'none' | 'jwt';
  /**
   * The principal of an `Authorization` header; anonymous without one.
   *
   * @throws RollcallError UNAUTHENTICATED when there is one that does not hold.
   */
  authenticate(authorization: string | undefined): Promise<Principal>;
}

/** What tokens are verified with. */
export interface AuthOptions {
  readonly AUTH_MODE?: 'none' | 'jwt' | undefined;
  readonly AUTH_JWKS_URL?: string | undefined;
  readonly AUTH_SECRET?: string | undefined;
  readonly AUTH_ISSUER?: string | undefined;
  readonly AUTH_AUDIENCE?: string | undefined;
}

/** Asymmetric algorithms only where keys are public: HS256 with a public key as its secret is the classic forgery. */
const PUBLIC_KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];
const SECRET_ALGORITHMS = ['HS256'];
const CLOCK_SKEW_SECONDS = 30;

/** Namespace of subjects that are no UUIDs: a UUID v5 of issuer and subject stands for them, the same for ever. */
const SUBJECT_NAMESPACE = '3f0c2a52-8f5e-5d0e-9a41-0c2d3a7b9e10';

/** The UUID of a token's subject: itself where it is one. */
export const subjectOf = (issuer: string | undefined, sub: string): string =>
  isUuid(sub) ? sub.toLowerCase() : v5(`${issuer ?? ''}\0${sub}`, SUBJECT_NAMESPACE);

function scopesOf({ scope }: JWTPayload): {
  readonly scopes: ReadonlySet<Scope>;
  readonly granted: ReadonlySet<string>;
} {
  const given: readonly unknown[] = typeof scope === 'string' ? scope.split(' ') : Array.isArray(scope) ? scope : [];
  const granted = new Set(given.filter((word): word is string => typeof word === 'string' && word !== ''));
  return { scopes: new Set(SCOPES.filter((known) => granted.has(known))), granted };
}

const refused = (message: string, cause?: unknown): RollcallError =>
  new RollcallError('UNAUTHENTICATED', message, { cause });

/** What to tell about a token that does not hold: enough to mend it, nothing of the token. */
function explain(error: unknown): RollcallError {
  if (error instanceof errors.JWTExpired) return refused('The token has expired; get a new one.', error);
  if (error instanceof errors.JWTClaimValidationFailed)
    return refused(`The token's claim "${error.claim}" is not accepted here.`, error);
  if (error instanceof errors.JWKSTimeout || (error instanceof Error && !(error instanceof errors.JOSEError))) {
    return refused('The token cannot be verified at the moment: the keys could not be fetched.', error);
  }
  return refused('The token is not valid here.', error);
}

interface VerificationKeys {
  readonly key: Uint8Array | JWTVerifyGetKey;
  readonly algorithms: string[];
  /** Other for each reading of the keys; undefined while they have to be read. */
  version(): unknown;
}

function keysOf({ AUTH_SECRET, AUTH_JWKS_URL }: AuthOptions): VerificationKeys {
  if (AUTH_SECRET !== undefined) {
    return { key: new TextEncoder().encode(AUTH_SECRET), algorithms: SECRET_ALGORITHMS, version: () => 0 };
  }
  const reading: Partial<JWKSCacheInput & { uat: number }> = {};
  const set = createRemoteJWKSet(new URL(AUTH_JWKS_URL!), { [jwksCache]: reading as JWKSCacheInput });
  return { key: set, algorithms: PUBLIC_KEY_ALGORITHMS, version: () => (set.fresh ? reading.jwks : undefined) };
}

/** Builds the authenticator that the configuration asks for. */
export function createAuthenticator(options: AuthOptions): Authenticator {
  if (options.AUTH_MODE !== 'jwt') return { mode: 'none', authenticate: async () => LOCAL_USER };
  const { key, algorithms, version } = keysOf(options);
  const verified = new VerifiedTokens();
  const rules = {
    algorithms,
    clockTolerance: CLOCK_SKEW_SECONDS,
    requiredClaims: ['sub', 'exp'],
    ...(options.AUTH_ISSUER === undefined ? {} : { issuer: options.AUTH_ISSUER }),
    ...(options.AUTH_AUDIENCE === undefined ? {} : { audience: options.AUTH_AUDIENCE }),
  };
  return {
    mode: 'jwt',
    async authenticate(authorization) {
      if (authorization === undefined) return ANONYMOUS;
      const token = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];
      if (token === undefined) throw refused('Authorization must be "Bearer" and a token.');
      const keys = version();
      const known = verified.get(token, keys);
      if (known !== undefined) return known;
      const payload = await jwtVerify(token, key as never, rules).then(
        (r) => r.payload as JWTPayload,
        (error: unknown) => {
          throw explain(error);
        },
      );
      const principal: Principal = {
        subject: subjectOf(payload.iss, payload.sub!),
        anonymous: false,
        ...scopesOf(payload),
        expiresAt: (payload.exp! + CLOCK_SKEW_SECONDS) * 1000,
      };
      // Keys that were read meanwhile may not be those that verified it.
      if (keys !== undefined && keys === version()) verified.add(token, keys, principal);
      return principal;
    },
  };
}

/** Mints a token for development, signed with AUTH_SECRET. */
export async function mintToken(
  options: AuthOptions & { readonly AUTH_SECRET: string },
  claims: { readonly subject: string; readonly scopes: readonly string[]; readonly expiresInSeconds: number },
): Promise<string> {
  const jwt = new SignJWT({ scope: claims.scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(claims.subject)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + claims.expiresInSeconds);
  if (options.AUTH_ISSUER !== undefined) jwt.setIssuer(options.AUTH_ISSUER);
  if (options.AUTH_AUDIENCE !== undefined) jwt.setAudience(options.AUTH_AUDIENCE);
  return jwt.sign(new TextEncoder().encode(options.AUTH_SECRET));
}
