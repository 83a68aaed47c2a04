import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentCard, canonicalizeAgentCard, generateAgentCardSignature, verifyAgentCardSignature } from '@a2a-js/sdk';
import { DefaultAgentCardResolver } from '@a2a-js/sdk/client';
import { exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { type CardServer, cardV1, startCardServer } from '../support/card-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-card-trust-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const keyFile = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const pem = (type: 'ec' | 'ed25519' | 'rsa'): string => {
  const pair =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : type === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519');
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
};

describe('cards that are served', () => {
  test.each(['ec', 'ed25519', 'rsa'] as const)(
    "are signed with an %s key, and the SDK's verifier accepts them",
    async (type) => {
      const app = await startTestApp({ CARD_SIGNING_KEY: keyFile(`${type}.pem`, pem(type)) });
      try {
        const { url } = app.addresses;
        const { agents } = await data(url, '{ agents { nodes { id } } }');
        const base = `${url}agents/${agents.nodes[0].id}/`;
        const { keys } = (await (await fetch(`${url}.well-known/jwks.json`)).json()) as { keys: JWK[] };
        let asked: unknown;
        const verify = verifyAgentCardSignature(async (kid, jku) => {
          asked = { kid, jku };
          return (await importJWK(keys.find((key) => key.kid === kid)!)) as never;
        });
        const card = await new DefaultAgentCardResolver().resolve(base);
        await verify(card);
        expect(asked).toEqual({ kid: expect.any(String), jku: `${url}.well-known/jwks.json` });
        await expect(verify({ ...card, description: 'Another' })).rejects.toThrow();
        // Readers of other versions would take members for what the signature does not mean.
        const hybrid = (await (await fetch(`${base}.well-known/agent-card.json`)).json()) as object;
        expect(hybrid).not.toHaveProperty('signatures');
      } finally {
        await app.close();
      }
    },
  );

  test('a key that cannot sign stops the start, and nothing of it is said', async () => {
    const text = 'no key, but secret';
    const start = startTestApp({ CARD_SIGNING_KEY: keyFile('wrong.pem', text) });
    await expect(start).rejects.toMatchObject({ code: 'INVALID_INPUT', field: 'CARD_SIGNING_KEY' });
    await expect(start).rejects.not.toThrow(text);
    await expect(startTestApp({ CARD_SIGNING_KEY: join(folder, 'absent') })).rejects.toMatchObject({
      message: expect.stringContaining('ENOENT'),
    });
  });
});

const PIN = `mutation($input: SetProviderCardKeysInput!) { setProviderCardKeys(input: $input) { revision cardKeys { kid jwk } } }`;
const IMPORT = `mutation($url: String!) { importAgent(input: { url: $url }) { id sourceCard { verification { state keyId } } } }`;
const PREVIEW = `mutation($url: String!) { previewCard(url: $url) { verification { state keyId } } }`;
const PROVIDER = `mutation($input: ProviderInput!) { registerProvider(input: $input) { id } }`;

async function signer(kid: string, alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const sign = generateAgentCardSignature(privateKey, { alg, kid, typ: 'JOSE' });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg },
    privateJwk: await exportJWK(privateKey),
    /** As an agent's own server would do it. */
    card: async (card: object) => AgentCard.toJSON(await sign(AgentCard.fromJSON(card))) as Record<string, unknown>,
  };
}

describe.each(['audit', 'require'] as const)('imported cards, CARD_SIGNATURES=%s', (mode) => {
  let app: App;
  let url: string;
  let cards: CardServer;
  let ours: Awaited<ReturnType<typeof signer>>;
  let foreign: Awaited<ReturnType<typeof signer>>;
  let providerId: string;
  beforeAll(async () => {
    [app, cards, ours, foreign] = await Promise.all([
      startTestApp({ CARD_SIGNATURES: mode }),
      startCardServer(),
      signer('ours-1'),
      signer('ours-1'),
    ]);
    url = app.addresses.url;
    providerId = (await data(url, PROVIDER, { input: { name: 'Weather Works', url: 'https://weather.example/' } }))[
      'registerProvider'
    ].id;
    const pinned = await data(url, PIN, { input: { id: providerId, keys: [ours.jwk] } });
    expect(pinned['setProviderCardKeys'].cardKeys).toEqual([{ kid: 'ours-1', jwk: ours.jwk }]);
  });
  afterAll(async () => {
    await app?.close();
    await cards?.close();
  });

  const provider = { organization: 'Weather Works', url: 'https://weather.example/' };
  const card = (name: string): Record<string, unknown> => ({ ...cardV1(), name, provider });
  const serve = (name: string, body: object): string => {
    cards.on(`/${name}/.well-known/agent-card.json`, body);
    return `${cards.url}${name}/`;
  };

  test('one that holds under a pinned key is verified', async () => {
    const at = serve('good', await ours.card(card('good')));
    const verified = { state: 'VERIFIED', keyId: 'ours-1' };
    expect((await data(url, PREVIEW, { url: at }))['previewCard'].verification).toEqual(verified);
    expect((await data(url, IMPORT, { url: at }))['importAgent'].sourceCard.verification).toEqual(verified);
  });

  test('one whose author left the default members in holds too; any other member does not', async () => {
    const signed = await ours.card(card('lean'));
    const spelled = {
      ...signed,
      documentationUrl: '',
      capabilities: { ...(signed['capabilities'] as object), extensions: [] },
    };
    const state = async (body: object, path: string) =>
      (await data(url, PREVIEW, { url: serve(path, body) }))['previewCard'].verification.state;
    expect(await state(spelled, 'spelled')).toBe('VERIFIED');
    expect(await state({ ...signed, 'x-added': 'by someone' }, 'added')).toBe('INVALID');
  });

  const refused: [string, () => Promise<object>, string][] = [
    ['altered', async () => ({ ...(await ours.card(card('altered'))), description: 'Other words' }), 'INVALID'],
    ['of another key with the same kid', async () => foreign.card(card('forged')), 'INVALID'],
    ['unsigned', async () => card('plain'), 'UNSIGNED'],
    [
      'of a provider without pinned keys',
      async () =>
        foreign.card({ ...card('stranger'), provider: { organization: 'Nobody', url: 'https://nobody.example/' } }),
      'NO_KEY',
    ],
    [
      'signed with "none"',
      async () => ({
        ...card('none'),
        signatures: [
          { protected: Buffer.from('{"alg":"none","kid":"ours-1"}').toString('base64url'), signature: 'AAAA' },
        ],
      }),
      'INVALID',
    ],
    [
      'signed with the public key as a shared secret',
      async () => ({
        ...card('mac'),
        signatures: [
          { protected: Buffer.from('{"alg":"HS256","kid":"ours-1"}').toString('base64url'), signature: 'AAAA' },
        ],
      }),
      'INVALID',
    ],
  ];
  test.each(refused)('one that is %s', async (name, make, state) => {
    const at = serve(name.replaceAll(/\W+/g, '-'), await make());
    expect((await data(url, PREVIEW, { url: at }))['previewCard'].verification).toEqual({ state, keyId: null });
    const { data: answer, errors } = await ask(url, IMPORT, { url: at });
    if (mode === 'audit') {
      expect(answer['importAgent'].sourceCard.verification.state).toBe(state);
    } else {
      expect(errors).toMatchObject([
        { extensions: { code: 'CARD_INVALID', field: 'url', verification: state.toLowerCase() } },
      ]);
    }
  });

  test('a card that is refreshed is looked at again', async () => {
    const at = serve('refreshed', await ours.card(card('refreshed')));
    const { importAgent } = await data(url, IMPORT, { url: at });
    serve('refreshed', await foreign.card({ ...card('refreshed'), description: 'Taken over' }));
    const refresh = `mutation($id: ID!) { refreshAgent(input: { id: $id, apply: true }) { agent { description sourceCard { verification { state } } } } }`;
    const { data: answer, errors } = await ask(url, refresh, { id: importAgent.id });
    if (mode === 'audit') expect(answer['refreshAgent'].agent.sourceCard.verification.state).toBe('INVALID');
    else expect(errors?.[0]?.extensions['code']).toBe('CARD_INVALID');
  });

  test('keys are public, few, and of their own names', async () => {
    const pin = async (...keys: object[]) => (await ask(url, PIN, { input: { id: providerId, keys } })).errors?.[0];
    const secret = await pin(ours.privateJwk);
    expect(secret).toMatchObject({ extensions: { code: 'INVALID_INPUT', field: 'input.keys[0]' } });
    expect(JSON.stringify(secret)).not.toContain(ours.privateJwk.d);
    expect((await pin({ kty: 'oct', k: 'c2VjcmV0' }))?.message).toContain('"k"');
    expect((await pin({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }))?.message).toContain('no usable public key');
    expect((await pin(ours.jwk, ours.jwk))?.message).toContain('a kid of its own');
    expect((await pin(...Array.from({ length: 21 }, () => ours.jwk)))?.message).toContain('at most 20');
  });
});

test('what the SDK signs is what we take a signature to cover', async () => {
  const { signingPayload } = await import('../../src/protocol/a2a/card/index.ts');
  const card = AgentCard.fromJSON({ ...cardV1(), provider: { organization: 'É', url: 'https://e.example/' } });
  expect(canonicalizeAgentCard(card)).toBe(signingPayload(AgentCard.toJSON(card) as object));
});
