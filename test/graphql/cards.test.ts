import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { type CardServer, cardV1, startCardServer } from '../support/card-server.ts';

let app: App;
let url: string;
let cards: CardServer;
beforeAll(async () => {
  [app, cards] = await Promise.all([startTestApp(), startCardServer()]);
  url = app.addresses.url;
});
afterAll(async () => {
  await app?.close();
  await cards?.close();
});

const PREVIEW = `mutation($url: String!) { previewCard(url: $url) { url era valid digest agent registered { id } problems { path severity message } } }`;
const IMPORT = `mutation($url: String!) { importAgent(input: { url: $url }) { id name url executionType authenticationType skills { key } sourceCard { digest body era size } provider { name } } }`;
const preview = async (path: string) => (await data(url, PREVIEW, { url: `${cards.url}${path}` }))['previewCard'];
const refused = async (path: string) => (await ask(url, IMPORT, { url: `${cards.url}${path}` })).errors![0]!;

describe('importing by card', () => {
  test.each([
    ['1.0', cardV1()],
    [
      '0.3',
      {
        ...cardV1(),
        supportedInterfaces: undefined,
        protocolVersion: '0.3.0',
        url: 'http://127.0.0.1:9/rpc',
        preferredTransport: 'JSONRPC',
      },
    ],
    ['0.2', { ...cardV1(), supportedInterfaces: undefined, protocolVersion: '0.2.5', url: 'http://127.0.0.1:9/rpc' }],
    [
      'early',
      {
        name: 'Weather',
        description: 'Tells',
        url: 'http://127.0.0.1:9/rpc',
        version: '1',
        capabilities: {},
        authentication: { schemes: ['bearer'] },
        defaultInputModes: ['text'],
        skills: [{ id: 'forecast', name: 'Forecast' }],
      },
    ],
  ])('a card of %s is previewed and imported, and kept byte for byte', async (era, card) => {
    const body = `  ${JSON.stringify(card, null, 3)}\n`;
    const file = era === 'early' || era === '0.2' ? 'agent.json' : 'agent-card.json';
    cards.on(`/${era}/.well-known/${file}`, body);
    const shown = await preview(era);
    expect(shown).toMatchObject({ era, valid: true, registered: null });
    const { importAgent } = await data(url, IMPORT, { url: `${cards.url}${era}` });
    expect(importAgent).toMatchObject({
      name: 'Weather',
      executionType: 'A2A',
      url: 'http://127.0.0.1:9/rpc',
      skills: [{ key: 'forecast' }],
    });
    expect(Buffer.from(importAgent.sourceCard.body, 'base64').toString()).toBe(body);
    expect(importAgent.sourceCard.digest).toBe(createHash('sha256').update(body).digest('hex'));
    expect((await preview(era)).registered).toEqual({ id: importAgent.id });
    const again = await refused(era);
    expect(again.extensions).toMatchObject({ code: 'ALREADY_EXISTS', id: importAgent.id });
  });

  test('a refresh shows a typed diff, and applies it only when asked', async () => {
    const REFRESH = `mutation($id: ID!, $apply: Boolean!) { refreshAgent(input: { id: $id, apply: $apply }) { applied breaking changes { path kind breaking before after } agent { description revision skills { key } } } }`;
    cards.on('/moving/.well-known/agent-card.json', cardV1());
    const { id } = (await data(url, IMPORT, { url: `${cards.url}moving` }))['importAgent'];
    const same = (await data(url, REFRESH, { id, apply: true }))['refreshAgent'];
    expect(same).toMatchObject({ applied: false, changes: [], agent: { revision: 1 } });

    cards.on(
      '/moving/.well-known/agent-card.json',
      cardV1({
        description: 'Tells more.',
        skills: [{ id: 'climate', name: 'Climate', description: 'Decades', tags: [] }],
        securitySchemes: { key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } } },
        securityRequirements: [{ schemes: { key: { list: [] } } }],
      }),
    );
    const shown = (await data(url, REFRESH, { id, apply: false }))['refreshAgent'];
    expect(shown).toMatchObject({
      applied: false,
      breaking: true,
      agent: { description: 'Tells the weather.', revision: 1 },
    });
    const breaking = shown.changes
      .filter((c: { breaking: boolean }) => c.breaking)
      .map((c: { path: string }) => c.path);
    expect(breaking.some((p: string) => p.includes('forecast'))).toBe(true);
    expect(breaking.some((p: string) => p.includes('security'))).toBe(true);
    expect(shown.changes).toContainEqual(
      expect.objectContaining({
        path: '$.description',
        breaking: false,
        before: 'Tells the weather.',
        after: 'Tells more.',
      }),
    );

    const applied = (await data(url, REFRESH, { id, apply: true }))['refreshAgent'];
    expect(applied).toMatchObject({
      applied: true,
      agent: { description: 'Tells more.', revision: 2, skills: [{ key: 'climate' }] },
    });
    expect((await data(url, REFRESH, { id, apply: true }))['refreshAgent'].applied).toBe(false);
  });

  test('a card that lacks required fields is shown with its problems by JSON path, and not imported', async () => {
    cards.on('/bad/.well-known/agent-card.json', {
      ...cardV1({
        skills: [
          { id: 'a', name: 'A', description: '', tags: [] },
          { id: 'a', name: 'B', description: '', tags: [] },
        ],
      }),
      name: undefined,
    });
    const shown = await preview('bad');
    expect(shown.valid).toBe(false);
    const paths = shown.problems
      .filter((p: { severity: string }) => p.severity === 'ERROR')
      .map((p: { path: string }) => p.path);
    expect(paths).toContain('$.name');
    expect(paths).toContain('$.skills[1].id');
    const error = await refused('bad');
    expect(error.extensions).toMatchObject({ code: 'CARD_INVALID', field: 'url' });
    expect(error.extensions['problems'].length).toBeGreaterThan(1);
  });

  const deep = `{"name":"x","description":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
  test.each<[string, (request: unknown, response: import('node:http').ServerResponse) => void, string]>([
    [
      'HTML',
      (_q, r) => void r.setHeader('content-type', 'text/html').end('<!doctype html><title>hello</title>'),
      'CARD_INVALID',
    ],
    ['JSON of depth 10,000', (_q, r) => void r.end(deep), 'CARD_INVALID'],
    ['no JSON', (_q, r) => void r.end('{"name": '), 'CARD_INVALID'],
    [
      'a redirect to a forbidden address',
      (_q, r) => void r.writeHead(302, { location: 'http://169.254.169.254/card.json' }).end(),
      'EGRESS_DENIED',
    ],
    ['an endless redirect', (_q, r) => void r.writeHead(302, { location: '?' }).end(), 'UPSTREAM_INVALID'],
    ['an error', (_q, r) => void r.writeHead(500).end(), 'UPSTREAM_INVALID'],
    [
      '50 MB',
      (_q, r) => {
        r.writeHead(200);
        const chunk = Buffer.alloc(64 * 1024, 32);
        let sent = 0;
        const more = (): void => {
          while (sent < 50 * 1024 * 1024 && !r.destroyed) {
            sent += chunk.length;
            if (!r.write(chunk)) {
              r.once('drain', more);
              return;
            }
          }
          r.end();
        };
        more();
      },
      'PAYLOAD_TOO_LARGE',
    ],
    [
      'a connection cut half-way',
      (_q, r) => {
        r.writeHead(200, { 'content-length': '1000' });
        r.write('{"name"');
        setImmediate(() => r.destroy());
      },
      'UPSTREAM_UNREACHABLE',
    ],
  ])('a card that is %s is refused', async (what, handler, code) => {
    const path = `hostile/${encodeURIComponent(what)}`;
    cards.on(`/${path}/card.json`, handler as never);
    const error = await refused(`${path}/card.json`);
    expect(error.extensions['code'], error.message).toBe(code);
  });

  test('a card that never comes is given up on after ten seconds', async () => {
    cards.on('/slow/card.json', () => undefined);
    const from = performance.now();
    const error = await refused('slow/card.json');
    expect(error.extensions['code']).toBe('UPSTREAM_TIMEOUT');
    // Long before other calls are, after thirty.
    expect(performance.now() - from).toBeLessThan(20_000);
  });

  test('an address without a card says what was tried', async () => {
    const error = await refused('nothing');
    expect(error.extensions['code']).toBe('UPSTREAM_INVALID');
    expect(error.message).toMatch(/agent-card\.json answered 404, .*agent\.json answered 404/);
  });

  test.each(['not a url', 'ftp://127.0.0.1/', 'http://user:pw@127.0.0.1/', 'http://0x7f.1/'])(
    '%s is refused as a url',
    async (bad) => {
      const { errors } = await ask(url, PREVIEW, { url: bad });
      expect(['INVALID_INPUT', 'EGRESS_DENIED', 'UPSTREAM_UNREACHABLE']).toContain(errors![0]!.extensions['code']);
    },
  );
});
