import { createHash } from 'node:crypto';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../../src/app.ts';
import { createSigningKeys } from '../../../src/auth/signing-keys.ts';
import { createSecretBox } from '../../../src/database/secret-box.ts';
import { ask, data, startTestApp } from '../../support/app.ts';
import { afterTheTest } from '../../support/cleanup.ts';
import { describeOnDrivers } from '../../support/database.ts';
import { type Received, startWebhook } from '../../support/webhook.ts';

const cleanup = afterTheTest();

let app: App;
let named: App;
beforeAll(async () => {
  app = await startTestApp();
  named = await startTestApp({ PUBLIC_URL: 'https://agents.example.org/' });
});
afterAll(async () => {
  await app?.close();
  await named?.close();
});

async function receiver() {
  const hook = await startWebhook();
  cleanup(() => hook.close());
  return hook;
}

/** Lets the echo agent work on a task with this webhook; answers what arrived last. */
async function notified(app: App, config: object, origin: Awaited<ReturnType<typeof receiver>>): Promise<Received> {
  const { url } = app.addresses;
  const agentId = (await data(url, '{ agent(handle: "echo") { id } }'))['agent'].id;
  const send = 'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id } } }';
  const taskId = (await data(url, send, { input: { agentId, text: 'ask: more?' } }))['sendMessage'].task.id;
  const create = `mutation($input: CreatePushNotificationConfigInput!) { createPushNotificationConfig(input: $input) { id } }`;
  await data(url, create, { input: { taskId, url: origin.url, ...config } });
  await ask(url, send, { input: { agentId, taskId, text: 'this' } });
  return origin.until(({ text }) => text.includes('COMPLETED'));
}

/** What docs/push-notifications.md tells receivers to do. */
async function verify(app: App, token: string, body: string, audience: string) {
  const keys = createRemoteJWKSet(new URL('.well-known/jwks.json', app.addresses.url));
  const { payload } = await jwtVerify(token, keys, { issuer: app.addresses.url, audience, algorithms: ['ES256'] });
  if (payload['request_body_sha256'] !== createHash('sha256').update(body).digest('hex'))
    throw new Error('another body');
  return payload;
}

describe('the signature of a notification', () => {
  test('holds against the published keys, and says what it is about', async () => {
    const hook = await receiver();
    const { headers, text } = await notified(app, {}, hook);
    const token = headers['x-rollcall-signature'] as string;
    expect(headers.authorization).toBe(`Bearer ${token}`);
    const claims = await verify(app, token, text, hook.origin);
    expect(claims).toMatchObject({ iss: app.addresses.url, aud: hook.origin, task_id: expect.any(String) });
    expect(claims.exp! - claims.iat!).toBe(300);
    expect(claims.jti).toMatch(new RegExp(`^[0-9a-f-]{36}\\.${claims['sequence']}$`));
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'JWT' });
  });

  test('does not hold for another body, another receiver or another server', async () => {
    const hook = await receiver();
    const { headers, text } = await notified(app, {}, hook);
    const token = headers['x-rollcall-signature'] as string;
    await expect(verify(app, token, text.replace('COMPLETED', 'FAILED'), hook.origin)).rejects.toThrow('another body');
    await expect(verify(app, token, text, 'http://elsewhere.example')).rejects.toThrow(/aud/);
    await expect(verify(app, `${token.slice(0, -8)}AAAAAAAA`, text, hook.origin)).rejects.toThrow();
    await expect(verify(named, token, text, hook.origin)).rejects.toThrow();
  });

  test("is there besides the webhook's own credentials", async () => {
    const hook = await receiver();
    const { headers, text } = await notified(
      named,
      { authentication: { scheme: 'Bearer', credentials: 'mine' } },
      hook,
    );
    expect(headers.authorization).toBe('Bearer mine');
    const keys = createRemoteJWKSet(new URL('.well-known/jwks.json', named.addresses.url));
    const { payload } = await jwtVerify(headers['x-rollcall-signature'] as string, keys);
    expect(payload).toMatchObject({
      iss: 'https://agents.example.org/',
      request_body_sha256: createHash('sha256').update(text).digest('hex'),
    });
  });

  test('keys are published for anyone, without their private halves', async () => {
    const answer = await fetch(new URL('.well-known/jwks.json', app.addresses.url));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = (await answer.json()) as { keys: object[] };
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0]!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });
});

describeOnDrivers('signing keys', (open) => {
  const box = createSecretBox('a secret for the tests');

  test('are one for all replicas, and the same after a restart', async () => {
    const { query } = await open();
    const replicas = [1, 2, 3].map(() => createSigningKeys(query, box, 'push'));
    const signed = await Promise.all(replicas.map((keys) => keys.sign({ n: 1 })));
    expect(new Set(signed.map((token) => decodeProtectedHeader(token).kid)).size).toBe(1);
    const again = createSigningKeys(query, box, 'push');
    expect(decodeProtectedHeader(await again.sign({})).kid).toBe(decodeProtectedHeader(signed[0]!).kid);
    const other = createSigningKeys(query, box, 'something else');
    expect(decodeProtectedHeader(await other.sign({})).kid).not.toBe(decodeProtectedHeader(signed[0]!).kid);
  });

  test('that were retired verify for a while, and sign no more', async () => {
    const { query } = await open();
    const keys = createSigningKeys(query, box, 'push');
    const { kid } = decodeProtectedHeader(await keys.sign({}));
    await keys.retire();
    const next = decodeProtectedHeader(await keys.sign({})).kid;
    expect(next).not.toBe(kid);
    expect((await keys.publicKeys()).map((key) => key.kid)).toEqual([next, kid]);
    await query(`update signing_key set retired_at = now() - interval '25 hours' where retired_at is not null`);
    expect((await keys.publicKeys()).map((key) => key.kid)).toEqual([next]);
  });

  test('are replaced when SECRET_KEY is another one', async () => {
    const { query } = await open();
    const before = decodeProtectedHeader(await createSigningKeys(query, box, 'push').sign({})).kid;
    const keys = createSigningKeys(query, createSecretBox('another secret for the tests'), 'push');
    const after = decodeProtectedHeader(await keys.sign({})).kid;
    expect(after).not.toBe(before);
    expect((await keys.publicKeys()).map((key) => key.kid)).toEqual([after, before]);
  });
});
