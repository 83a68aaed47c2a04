import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAuthenticator, mintToken } from '../../src/auth/authenticator.ts';
import { ANONYMOUS } from '../../src/auth/principal.ts';
import { VerifiedTokens } from '../../src/auth/verified-tokens.ts';
import { TEST_SECRET } from '../support/tokens.ts';

const ME = '11111111-1111-4111-8111-111111111111';
const MINUTE_MS = 60_000;

let server: Server;
let served: JWK[] = [];
beforeAll(async () => {
  server = createServer((_request, response) => response.end(JSON.stringify({ keys: served })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const keyOf = async (kid: string, alg = 'ES256') => {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const sign = (seconds: number) =>
    new SignJWT({ scope: 'tasks:read costs:read' })
      .setProtectedHeader({ alg, kid })
      .setSubject(ME)
      .setExpirationTime(Math.floor(Date.now() / 1_000) + seconds)
      .sign(privateKey);
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg }, sign };
};
const later = (ms: number): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
};

describe('a token that was verified', () => {
  test.each(['ES256', 'RS256'])('is not verified again while its keys are fresh (%s)', async (alg) => {
    const { jwk, sign } = await keyOf('one', alg);
    served = [jwk];
    const authenticator = createAuthenticator({ AUTH_MODE: 'jwt', AUTH_JWKS_URL: url() });
    const header = `Bearer ${await sign(3_600)}`;
    const first = await authenticator.authenticate(header);
    await authenticator.authenticate(header);
    const verify = vi.spyOn(crypto.subtle, 'verify');
    const again = await authenticator.authenticate(header);
    expect(verify).not.toHaveBeenCalled();
    expect(again).toEqual(first);
    expect(again).toMatchObject({ subject: ME, scopes: new Set(['tasks:read']) });
    expect(again.granted).toEqual(new Set(['tasks:read', 'costs:read']));
  });

  test('counts no longer than it lasts', async () => {
    const authenticator = createAuthenticator({ AUTH_MODE: 'jwt', AUTH_SECRET: TEST_SECRET });
    const token = await mintToken({ AUTH_SECRET: TEST_SECRET }, { subject: ME, scopes: [], expiresInSeconds: 60 });
    const asked = () => authenticator.authenticate(`Bearer ${token}`);
    await asked();
    later(MINUTE_MS + 29_000);
    expect((await asked()).subject).toBe(ME);
    later(2_000);
    await expect(asked()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: /has expired/ });
  });

  test('counts no longer than the keys that verified it', async () => {
    const [before, after] = [await keyOf('before'), await keyOf('after')];
    served = [before.jwk];
    const authenticator = createAuthenticator({ AUTH_MODE: 'jwt', AUTH_JWKS_URL: url() });
    const old = `Bearer ${await before.sign(86_400)}`;
    const asked = () => authenticator.authenticate(old);
    await asked();
    await asked();
    served = [after.jwk];
    // A token of a key that is not known yet has the keys read again, once they were not just read.
    later(MINUTE_MS);
    expect((await authenticator.authenticate(`Bearer ${await after.sign(86_400)}`)).subject).toBe(ME);
    await expect(asked()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('is verified again when its keys are not fresh any more', async () => {
    const { jwk, sign } = await keyOf('one');
    served = [jwk];
    const authenticator = createAuthenticator({ AUTH_MODE: 'jwt', AUTH_JWKS_URL: url() });
    const header = `Bearer ${await sign(86_400)}`;
    await authenticator.authenticate(header);
    await authenticator.authenticate(header);
    served = [];
    expect((await authenticator.authenticate(header)).subject).toBe(ME);
    later(11 * MINUTE_MS);
    await expect(authenticator.authenticate(header)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('speaks for no other token', async () => {
    const { jwk, sign } = await keyOf('one');
    served = [jwk];
    const authenticator = createAuthenticator({ AUTH_MODE: 'jwt', AUTH_JWKS_URL: url() });
    const token = await sign(3_600);
    for (let i = 0; i < 2; i++) await authenticator.authenticate(`Bearer ${token}`);
    const [head, payload, signature = ''] = token.split('.');
    const other = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    await expect(authenticator.authenticate(`Bearer ${head}.${payload}.${other}`)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});

test('so many are remembered, and no more', () => {
  const tokens = new VerifiedTokens(2);
  const principal = { ...ANONYMOUS, expiresAt: Date.now() + MINUTE_MS };
  for (const token of ['a', 'b', 'c']) tokens.add(token, 1, principal);
  expect(tokens.size).toBe(2);
  expect(tokens.get('a', 1)).toBeUndefined();
  expect(tokens.get('c', 1)).toBe(principal);
  expect(tokens.get('c', undefined)).toBeUndefined();
});
