import { mintToken } from '../../src/auth/authenticator.ts';
import { SCOPES, type Scope } from '../../src/auth/principal.ts';

/** The shared secret of test servers with `AUTH_MODE=jwt`. */
export const TEST_SECRET = 'a secret of the tests, long enough for the check';

/** Settings of a server that asks for tokens. */
export const JWT_SETTINGS = { AUTH_MODE: 'jwt', AUTH_SECRET: TEST_SECRET };

/** Everything but admin. */
export const USER_SCOPES = SCOPES.filter((scope) => scope !== 'admin' && scope !== 'tasks:admin');

/** A token that {@link JWT_SETTINGS} accepts. */
export const tokenFor = (subject: string, scopes: readonly Scope[] = USER_SCOPES): Promise<string> =>
  mintToken({ AUTH_SECRET: TEST_SECRET }, { subject, scopes, expiresInSeconds: 3_600 });
