import { AGENT_CARD_PATH } from '@a2a-js/sdk';
import { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } from 'a2a-sdk-0.3/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { AGENT_DETAILS } from '../../src/registry/cards/extended-card.ts';
import { data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { type Binding, bindingsOf } from './bindings.ts';
import { CLIENT_KINDS, clientFor, echoAgent, post, rpc } from './support.ts';

const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const NAMES = ['JSON-RPC', 'HTTP+JSON', 'gRPC'] as const;

let app: App;
let bindings: ReturnType<typeof bindingsOf>;
let agentId: string;
let owner: string;
let stranger: string;

beforeAll(async () => {
  app = await startTestApp({ ...JWT_SETTINGS, EGRESS_ALLOW: '127.0.0.1/32' });
  bindings = bindingsOf(app);
  owner = await tokenFor('11111111-1111-4111-8111-111111111111');
  stranger = await tokenFor('22222222-2222-4222-8222-222222222222');
  const { registerAgent } = await data(
    app.addresses.url,
    `mutation { registerAgent(input: {
      name: "Known", description: "Does sums.", executionType: API, url: "http://127.0.0.1:9/run", visibility: PUBLIC, capabilities: ["sums"],
      skills: [{ key: "add", name: "Add", description: "Adds.", tags: ["sums"] }]
    }) { id } }`,
    {},
    owner,
  );
  agentId = registerAgent.id;
});
afterAll(async () => {
  bindings?.close();
  await app?.close();
});

const binding = (name: Binding['name']): Binding => bindings.all.find((it) => it.name === name)!;
const detailsIn = (card: any) => card.capabilities.extensions.find((it: any) => it.uri === AGENT_DETAILS);
const url = (path: string) => `${app.addresses.url}${path}`;
const as = (token: string) => ({ authorization: `Bearer ${token}` });

test('cards declare it, in the words of each version', async () => {
  const v1 = await (
    await fetch(url(`a2a/${agentId}/.well-known/agent-card.json`), { headers: { 'a2a-version': '1.0' } })
  ).json();
  expect(v1.capabilities.extendedAgentCard).toBe(true);
  expect(v1).not.toHaveProperty('supportsAuthenticatedExtendedCard');
  const hybrid = await (await fetch(url(`a2a/${agentId}/.well-known/agent-card.json`))).json();
  expect(hybrid).toMatchObject({ supportsAuthenticatedExtendedCard: true, capabilities: { extendedAgentCard: true } });
});

describe.each(NAMES)('the extended card over %s', (name) => {
  const ask = (token?: string, id = agentId) => binding(name).call('GetExtendedAgentCard', id, {}, { token });

  test('is the card, with what the registry knows besides', async () => {
    const { result: card } = await ask(stranger);
    const plain = await (
      await fetch(url(`a2a/${agentId}/.well-known/agent-card.json`), { headers: { 'a2a-version': '1.0' } })
    ).json();
    const details = detailsIn(card);
    expect(details.params).toMatchObject({
      handle: 'known',
      executionType: 'api',
      status: 'active',
      visibility: 'public',
      url: 'http://127.0.0.1:9/run',
      capabilities: ['sums'],
      declared: { streaming: false, pushNotifications: false, stateTransitionHistory: false },
    });
    const { extensions: _, ...capabilities } = card.capabilities;
    expect({ ...card, capabilities }).toEqual(plain);
  });

  test('tells who may change the agent how it is driven, and nobody else', async () => {
    expect(detailsIn((await ask(owner)).result).params.management).toMatchObject({
      authenticationType: 'none',
      hasCredentials: false,
      retrySafe: false,
    });
    expect(detailsIn((await ask(stranger)).result).params).not.toHaveProperty('management');
  });

  test('is refused to who has not signed in, and does not exist where the agent does not', async () => {
    const { error } = await ask();
    expect(error).toMatchObject({ reason: 'UNAUTHENTICATED', status: name === 'gRPC' ? 16 : 401 });
    expect((await ask(owner, UNKNOWN)).error).toMatchObject({ reason: 'NOT_FOUND' });
  });
});

describe('older ways to ask for it', () => {
  const V03 = ['a2a/ID/v1/card', 'a2a/ID/agent/authenticatedExtendedCard', 'agents/ID/agent/authenticatedExtendedCard'];

  test.each(V03)('GET %s', async (path) => {
    const target = url(path.replace('ID', agentId));
    const answer = await fetch(target, { headers: as(stranger) });
    expect(answer.status).toBe(200);
    const card = (await answer.json()) as any;
    expect(card).toMatchObject({ protocolVersion: '0.3.0', name: 'Known' });
    expect(detailsIn(card).params.handle).toBe('known');
    const refused = await fetch(target);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  test('is never kept by shared caches', async () => {
    const answer = await fetch(url(`a2a/${agentId}/agent/authenticatedExtendedCard`), { headers: as(owner) });
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    await answer.body?.cancel();
  });

  test('agent/getAuthenticatedExtendedCard', async () => {
    const call = rpc('agent/getAuthenticatedExtendedCard');
    const { body } = await post(url(`a2a/${agentId}`), call, as(stranger));
    expect(body['result']).toMatchObject({ protocolVersion: '0.3.0', supportsAuthenticatedExtendedCard: true });
    const refused = await post(url(`a2a/${agentId}`), call);
    expect([refused.status, refused.body['error'].data.code]).toEqual([401, 'UNAUTHENTICATED']);
  });
});

test.each(CLIENT_KINDS.filter(({ binding: it }) => it !== 'GRPC'))(
  "the SDK's client gets it over $binding $version",
  async (kind) => {
    const client = await clientFor(url(`a2a/${agentId}/`), kind, stranger);
    const card = await client.getAgentCard();
    expect(card.capabilities?.extensions.map(({ uri }) => uri)).toContain(AGENT_DETAILS);
  },
);

test.each([
  ['JSONRPC', JsonRpcTransportFactory],
  ['HTTP+JSON', RestTransportFactory],
] as const)("the SDK 0.3's client gets it over %s", async (name, Transport) => {
  const fetchImpl: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${stranger}`);
    return fetch(input, { ...init, headers });
  };
  const factory = new ClientFactory({ transports: [new Transport({ fetchImpl })], preferredTransports: [name] });
  const client = await factory.createFromUrl(url(`a2a/${agentId}/`), AGENT_CARD_PATH);
  const card = await client.getAgentCard();
  expect(card.capabilities.extensions?.map(({ uri }) => uri)).toContain(AGENT_DETAILS);
});

test('a server where nobody signs in has none, and its cards say so', async () => {
  const open = await startTestApp();
  const opened = bindingsOf(open);
  try {
    const echo = await echoAgent(open);
    const card = await (await fetch(`${open.addresses.url}a2a/${echo}/.well-known/agent-card.json`)).json();
    expect(card).not.toHaveProperty('supportsAuthenticatedExtendedCard');
    for (const it of opened.all) {
      const { error } = await it.call('GetExtendedAgentCard', echo, {});
      expect(error, it.name).toMatchObject({ reason: 'UNSUPPORTED_OPERATION' });
    }
  } finally {
    opened.close();
    await open.close();
  }
});
