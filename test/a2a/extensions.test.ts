import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { importAgent, startTestApp } from '../support/app.ts';
import { type Binding, bindingsOf } from './bindings.ts';
import { type ScriptedAgent, startScriptedAgent } from './scripted-agent.ts';
import { eventsOf, post, rpc, userMessage } from './support.ts';

const DECLARED = 'https://extensions.example/declared';
const FOREIGN = 'https://extensions.example/foreign';
const ORIGIN = 'https://page.example';

let app: App;
let agent: ScriptedAgent;
let bindings: ReturnType<typeof bindingsOf>;
let agentId: string;

beforeAll(async () => {
  agent = await startScriptedAgent({ capabilities: { streaming: true, extensions: [{ uri: DECLARED }] } });
  app = await startTestApp({ CORS_ORIGINS: ORIGIN });
  bindings = bindingsOf(app);
  agentId = await importAgent(app.addresses.url, agent.url);
});
afterAll(async () => {
  bindings?.close();
  await app?.close();
  await agent?.close();
});

const finishNext = async () => {
  const script = await agent.next();
  script.status('COMPLETED');
  script.end();
};

describe.each(['JSON-RPC', 'HTTP+JSON', 'gRPC'] as const)('an answer over %s', (name) => {
  const send = (operation: 'SendMessage' | 'SendStreamingMessage', headers: Record<string, string>) => {
    const binding = bindings.all.find((it) => it.name === name) as Binding;
    const sent = binding.call(operation, agentId, { message: userMessage('go') }, { headers });
    return Promise.all([sent, finishNext()]).then(([answer]) => answer);
  };

  test.each(['SendMessage', 'SendStreamingMessage'] as const)(
    'to %s names the extensions that caller and agent have in common',
    async (operation) => {
      const { headers, error } = await send(operation, { 'a2a-extensions': `${FOREIGN}, ${DECLARED}` });
      expect(error).toBeUndefined();
      expect(headers['a2a-extensions']).toBe(DECLARED);
    },
  );

  test('names none when there is none in common', async () => {
    const { headers } = await send('SendMessage', { 'a2a-extensions': FOREIGN });
    expect(headers).not.toHaveProperty('a2a-extensions');
  });
});

test('clients of 0.3 find them under the name that they know', async () => {
  const message = {
    kind: 'message',
    messageId: crypto.randomUUID(),
    role: 'user',
    parts: [{ kind: 'text', text: 'go' }],
  };
  const url = `${app.addresses.url}a2a/${agentId}`;
  const [{ headers }] = await Promise.all([
    post(url, rpc('message/send', { message }), { 'x-a2a-extensions': DECLARED }),
    finishNext(),
  ]);
  expect(headers.get('x-a2a-extensions')).toBe(DECLARED);
  expect(headers.get('a2a-extensions')).toBeNull();
});

describe('a page of an allowed origin', () => {
  const names = (header: string | null): string[] => (header ?? '').split(',').map((it) => it.trim());

  test('may send the headers of the protocol, and read those of the answers', async () => {
    const url = `${app.addresses.url}a2a/${agentId}`;
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin: ORIGIN, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(names(preflight.headers.get('access-control-allow-headers'))).toEqual(
      expect.arrayContaining([
        'a2a-version',
        'a2a-extensions',
        'x-a2a-extensions',
        'last-event-id',
        'idempotency-key',
        'authorization',
        'content-type',
      ]),
    );
    const exposed = expect.arrayContaining([
      'a2a-version',
      'a2a-extensions',
      'x-a2a-extensions',
      'last-event-id',
      'idempotency-key',
      'www-authenticate',
      'etag',
    ]);
    const [streaming] = await Promise.all([
      fetch(url, {
        method: 'POST',
        headers: { origin: ORIGIN, 'content-type': 'application/json' },
        body: JSON.stringify(rpc('SendStreamingMessage', { message: userMessage('go') })),
      }),
      finishNext(),
    ]);
    expect(names(streaming.headers.get('access-control-expose-headers'))).toEqual(exposed);
    await eventsOf(streaming);
    const card = await fetch(`${url}/.well-known/agent-card.json`, { headers: { origin: ORIGIN } });
    expect(names(card.headers.get('access-control-expose-headers'))).toEqual(exposed);
    expect(names(card.headers.get('vary'))).toEqual(expect.arrayContaining(['Origin', 'A2A-Version']));
    await card.body?.cancel();
  });
});
