import { randomUUID } from 'node:crypto';
import { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } from 'a2a-sdk-0.3/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { importAgent, startTestApp } from '../support/app.ts';
import { type ScriptedAgent, startScriptedAgent } from './scripted-agent.ts';

let app: App;
let agent: ScriptedAgent;
let base: string;

beforeAll(async () => {
  agent = await startScriptedAgent();
  app = await startTestApp();
  base = `${app.addresses.url}a2a/${await importAgent(app.addresses.url, agent.url)}/`;
});
afterAll(async () => {
  await app?.close();
  await agent?.close();
});

const TRANSPORTS = { JSONRPC: new JsonRpcTransportFactory(), 'HTTP+JSON': new RestTransportFactory() } as const;
type Binding = keyof typeof TRANSPORTS;

/** The client of the A2A project's last SDK for 0.3, made from the card that it finds. */
const clientFor = (binding: Binding, polling: boolean) =>
  new ClientFactory({
    transports: [TRANSPORTS[binding]],
    preferredTransports: [binding],
    clientConfig: { polling },
  }).createFromUrl(base);

const message = () => ({
  kind: 'message' as const,
  messageId: randomUUID(),
  role: 'user' as const,
  parts: [{ kind: 'text' as const, text: 'go' }],
});

describe.each(['JSONRPC', 'HTTP+JSON'] as const)('the client of SDK 0.3 over %s', (binding) => {
  test('waits for the end of the task', async () => {
    const client = await clientFor(binding, false);
    const sent = client.sendMessage({ message: message() });
    const script = await agent.next();
    script.artifact('a');
    script.status('COMPLETED');
    script.end();
    expect(await sent).toMatchObject({ kind: 'task', status: { state: 'completed' } });
  });

  test('gets the task at once when it wants to poll, and finds it later', async () => {
    const client = await clientFor(binding, true);
    const task = await client.sendMessage({ message: message() });
    expect(task).toMatchObject({ kind: 'task', status: { state: 'submitted' } });
    const script = await agent.next();
    const watched = client.resubscribeTask({ id: (task as { id: string }).id });
    expect((await watched.next()).value).toMatchObject({ kind: 'task' });
    script.status('COMPLETED');
    script.end();
    for await (const _ of watched);
    expect(await client.getTask({ id: (task as { id: string }).id })).toMatchObject({ status: { state: 'completed' } });
  });

  test('gets the task first when it streams, before the agent has done anything', async () => {
    const client = await clientFor(binding, false);
    const events = client.sendMessageStream({ message: message() });
    const first = events.next();
    const script = await agent.next();
    expect((await first).value).toMatchObject({ kind: 'task', status: { state: 'submitted' } });
    script.status('COMPLETED');
    script.end();
    const rest = [];
    for await (const event of events) rest.push(event);
    expect(rest).toMatchObject([{ kind: 'status-update', status: { state: 'completed' }, final: true }]);
  });
});

describe('a send of 0.3 that says nothing about waiting', () => {
  const post = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${base}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return response.json();
  };
  const finishNext = async () => {
    const script = await agent.next();
    script.status('COMPLETED');
    script.end();
  };

  test('waits in JSON-RPC, with and without a configuration', async () => {
    for (const more of [{}, { configuration: {} }]) {
      const sent = post('', { jsonrpc: '2.0', id: 1, method: 'message/send', params: { message: message(), ...more } });
      await finishNext();
      expect(await sent).toMatchObject({ result: { status: { state: 'completed' } } });
    }
  });

  test('in HTTP+JSON a configuration without it is one with false, which ProtoJSON leaves out', async () => {
    const wire = () => ({ messageId: randomUUID(), role: 'ROLE_USER', content: [{ text: 'go' }] });
    const { task } = await post('v1/message:send', { message: wire(), configuration: { historyLength: 1 } });
    expect(task.status.state).toBe('TASK_STATE_SUBMITTED');
    await finishNext();
    const waiting = post('v1/message:send', { message: wire() });
    await finishNext();
    expect((await waiting).task.status.state).toBe('TASK_STATE_COMPLETED');
  });
});
