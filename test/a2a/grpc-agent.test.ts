import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { type CardServer, cardV1, startCardServer } from '../support/card-server.ts';
import { type SdkAgent, startSdkAgent } from '../support/sdk-agent.ts';
import { userMessage } from './support.ts';

const IMPORT =
  'mutation($input: ImportAgentInput!) { importAgent(input: $input) { id url streaming interfaces { url binding protocolVersion } } }';

let app: App;
let cards: CardServer;
let agent: SdkAgent;
beforeAll(async () => {
  [app, cards, agent] = await Promise.all([startTestApp(), startCardServer(), startSdkAgent({ grpc: 'only' })]);
});
afterAll(async () => {
  await app?.close();
  await agent?.close();
  await cards?.close();
});

async function rpc(agentId: string, method: string, params: object): Promise<Record<string, any>> {
  const response = await fetch(`${app.addresses.url}a2a/${agentId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return (await response.json()) as Record<string, any>;
}

describe('an agent whose card lists gRPC alone', () => {
  test('is imported, and works for callers who speak JSON-RPC', async () => {
    const { importAgent } = await data(app.addresses.url, IMPORT, { input: { url: agent.url } });
    expect(importAgent).toMatchObject({
      url: null,
      streaming: true,
      interfaces: [{ url: agent.grpc!.address, binding: 'GRPC', protocolVersion: '1.0' }],
    });
    const { result } = await rpc(importAgent.id, 'SendMessage', { message: userMessage('stream: one two') });
    expect(result.task.status.state).toBe('TASK_STATE_COMPLETED');
    expect(result.task.artifacts[0].parts).toEqual([{ text: 'one' }, { text: 'two' }]);
    const { task } = await data(app.addresses.url, 'query($id: ID!) { task(id: $id) { state agent { id } } }', {
      id: result.task.id,
    });
    expect(task).toEqual({ state: 'COMPLETED', agent: { id: importAgent.id } });
    // By JSON-RPC only the card was fetched.
    expect(agent.requests.map(({ path }) => path)).toEqual([expect.stringContaining('agent-card.json')]);
    expect(agent.grpc!.metadata).toHaveLength(1);
  });

  test('that refuses the stored credentials does not look as if the caller had none', async () => {
    const strict = await startSdkAgent({ grpc: (metadata) => metadata.get('authorization')[0] === 'Bearer right' });
    try {
      const authentication = { type: 'BEARER', token: 'wrong' };
      const { importAgent } = await data(app.addresses.url, IMPORT, { input: { url: strict.url, authentication } });
      const { id } = importAgent;
      // Its card lists JSON-RPC as well, where the url and with it the credentials belong.
      expect(importAgent.url).toBe(strict.rpcUrl);
      const update = 'mutation($input: UpdateAgentInput!) { updateAgent(input: $input) { id } }';
      await data(app.addresses.url, update, { input: { id, url: null, authentication } });
      const refused = await rpc(id, 'SendMessage', { message: userMessage('hello') });
      const words = JSON.stringify(refused);
      expect(words).toMatch(/refused the credentials that are stored with the agent/);
      expect(words).not.toMatch(/wrong/);
      await data(app.addresses.url, update, { input: { id, authentication: { type: 'BEARER', token: 'right' } } });
      const { result } = await rpc(id, 'SendMessage', { message: userMessage('hello') });
      expect(result.task.status.state).toBe('TASK_STATE_COMPLETED');
    } finally {
      await strict.close();
    }
  });

  const cardAt = (name: string, url: string): string => {
    const supportedInterfaces = [{ url, protocolBinding: 'GRPC', protocolVersion: '1.0' }];
    cards.on(`/${name}`, cardV1({ supportedInterfaces }));
    return `${cards.url}${name}`;
  };

  test.each([
    ['private.json', '10.9.9.9:50051', 'EGRESS_DENIED'],
    ['metadata.json', 'grpc://169.254.169.254:80', 'EGRESS_DENIED'],
    ['short.json', '127.1:50051', 'INVALID_INPUT'],
    ['octal.json', '0177.0.0.1:50051', 'INVALID_INPUT'],
    ['resolver.json', 'dns:///127.0.0.1:50051', 'INVALID_INPUT'],
    ['socket.json', 'unix:///var/run/docker.sock', 'CARD_INVALID'],
    ['query.json', '127.0.0.1:50051?x=1', 'INVALID_INPUT'],
  ])('is refused at once when its address is: %s', async (name, url, code) => {
    const { errors } = await ask(app.addresses.url, IMPORT, { input: { url: cardAt(name, url) } });
    expect(errors?.[0]?.extensions['code']).toBe(code);
    if (code === 'INVALID_INPUT') expect(errors?.[0]?.message).toMatch(/^interfaces\[0\]\.url: /);
  });
});
