import { DefaultAgentCardResolver } from '@a2a-js/sdk/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';

const OWNER = '11111111-1111-4111-8111-111111111111';
const STRANGER = '22222222-2222-4222-8222-222222222222';
const REGISTER = `mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id } }`;

let app: App;
let url: string;
let owner: string;
let stranger: string;
const ids: Record<string, string> = {};

beforeAll(async () => {
  app = await startTestApp(JWT_SETTINGS);
  url = app.addresses.url;
  owner = await tokenFor(OWNER);
  stranger = await tokenFor(STRANGER);
  for (const visibility of ['PUBLIC', 'INTERNAL', 'PRIVATE']) {
    const input = {
      name: `Card ${visibility}`,
      executionType: 'ECHO',
      visibility,
      version: '2.1',
      skills: [{ key: 's', name: 'S', description: 'Does it', tags: ['t'] }],
      provider: { name: 'Org', url: 'https://org.example' },
    };
    ids[visibility] = (await data(url, REGISTER, { input }, owner))['registerAgent'].id;
  }
});
afterAll(() => app?.close());

const card = (id: string, file: string, headers: Record<string, string> = {}) =>
  fetch(`${url}agents/${id}/.well-known/${file}`, { headers });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('derived cards', () => {
  test('card generation: the 1.0 form is pure 1.0', async () => {
    const answer = await card(ids['PUBLIC']!, 'agent-card.json', { 'a2a-version': '1.0' });
    const body = (await answer.json()) as Record<string, any>;
    expect(body).not.toHaveProperty('url');
    expect(body).not.toHaveProperty('protocolVersion');
    expect(body['supportedInterfaces'][0]).toEqual({
      url: `${url}a2a/${ids['PUBLIC']}/`,
      protocolBinding: 'JSONRPC',
      protocolVersion: '1.0',
    });
    expect(body['capabilities']).toEqual({ streaming: true, pushNotifications: true, extendedAgentCard: true });
    expect(body['securitySchemes']).toEqual({
      bearer: { httpAuthSecurityScheme: { scheme: 'Bearer', bearerFormat: 'JWT' } },
    });
  });

  test('card generation: without a version it is a hybrid that 0.3 and 1.0 clients read', async () => {
    const body = (await (await card(ids['PUBLIC']!, 'agent-card.json')).json()) as Record<string, any>;
    expect(body).toMatchObject({
      protocolVersion: '0.3.0',
      url: `${url}a2a/${ids['PUBLIC']}/`,
      preferredTransport: 'JSONRPC',
    });
    expect(body['supportedInterfaces'].length).toBeGreaterThan(1);
  });

  test('card generation: agent.json is read by early and 0.2 clients too', async () => {
    const body = (await (await card(ids['PUBLIC']!, 'agent.json')).json()) as Record<string, any>;
    expect(body).toMatchObject({ url: `${url}a2a/${ids['PUBLIC']}/`, authentication: { schemes: ['Bearer'] } });
    expect(body['defaultInputModes']).toContain('text');
  });

  test.each([
    ['agent-card.json', 'agents'],
    ['agent.json', 'agents'],
    ['agent-card.json', 'a2a'],
    ['agent.json', 'a2a'],
  ])("the SDK's own resolver accepts %s below /%s", async (file, room) => {
    for (const version of [undefined, '1.0']) {
      const fetchImpl: typeof fetch = (target, init) =>
        fetch(target, {
          ...init,
          headers: {
            ...Object.fromEntries(new Headers(init?.headers)),
            ...(version === undefined ? {} : { 'a2a-version': version }),
          },
        });
      const read = await new DefaultAgentCardResolver({ fetchImpl }).resolve(
        `${url}${room}/${ids['PUBLIC']}/`,
        `.well-known/${file}`,
      );
      expect(read.name).toBe('Card PUBLIC');
      expect(read.skills.map((s) => s.id)).toEqual(['s']);
      expect(read.supportedInterfaces.some((i) => i.protocolVersion === '1.0' && i.protocolBinding === 'JSONRPC')).toBe(
        true,
      );
    }
  });

  test('each form has an ETag of its own, and a client that has it gets 304', async () => {
    const forms = [
      await card(ids['PUBLIC']!, 'agent-card.json', { 'a2a-version': '1.0' }),
      await card(ids['PUBLIC']!, 'agent-card.json'),
      await card(ids['PUBLIC']!, 'agent.json'),
    ];
    const etags = forms.map((f) => f.headers.get('etag')!);
    expect(new Set(etags).size).toBe(3);
    expect(forms[0]!.headers.get('cache-control')).toBe('public, max-age=60');
    expect(forms[0]!.headers.get('vary')).toContain('A2A-Version');
    const again = await card(ids['PUBLIC']!, 'agent.json', { 'if-none-match': `"other", ${etags[2]}` });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    const since = await card(ids['PUBLIC']!, 'agent.json', {
      'if-modified-since': forms[2]!.headers.get('last-modified')!,
    });
    expect(since.status).toBe(304);
    expect((await card(ids['PUBLIC']!, 'agent.json', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  test('a deprecated agent says so in its card', async () => {
    const { registerAgent } = await data(
      url,
      REGISTER,
      {
        input: {
          name: 'Old',
          executionType: 'ECHO',
          visibility: 'PUBLIC',
          status: 'DEPRECATED',
          description: 'Still here',
        },
      },
      owner,
    );
    expect((await (await card(registerAgent.id, 'agent.json')).json()) as object).toMatchObject({
      description: '[deprecated] Still here',
    });
  });
});

describe('authenticated access to the card of a private agent', () => {
  test('its owner gets it, and caches may not share it', async () => {
    const answer = await card(ids['PRIVATE']!, 'agent-card.json', bearer(owner));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('private, max-age=60');
  });

  test.each([
    ['nobody', undefined],
    ['a stranger', STRANGER],
  ])('%s is told that there is no such agent', async (_who, subject) => {
    const headers = subject === undefined ? {} : bearer(stranger);
    const hidden = await card(ids['PRIVATE']!, 'agent-card.json', headers);
    const absent = await card('01890000-0000-7000-8000-000000000000', 'agent-card.json', headers);
    expect(hidden.status).toBe(404);
    const problem = (text: string) => text.replaceAll(/[0-9a-f-]{36}/g, 'ID');
    expect(problem(await hidden.text())).toBe(problem(await absent.text()));
  });

  test("a token that does not hold is refused, not taken for nobody's", async () => {
    const answer = await card(ids['PUBLIC']!, 'agent-card.json', bearer(`${owner}x`));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('an internal agent is shown to whoever signed in', async () => {
    expect((await card(ids['INTERNAL']!, 'agent.json')).status).toBe(404);
    expect((await card(ids['INTERNAL']!, 'agent.json', bearer(stranger))).status).toBe(200);
  });
});
