import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { importAgent, startTestApp } from '../support/app.ts';
import { bindingsOf } from './bindings.ts';
import { type ScriptedAgent, startScriptedAgent } from './scripted-agent.ts';
import { readEvents, rest, take, userMessage } from './support.ts';

let app: App;
let agent: ScriptedAgent;
let bindings: ReturnType<typeof bindingsOf>;
let agentId: string;

beforeAll(async () => {
  agent = await startScriptedAgent();
  app = await startTestApp();
  bindings = bindingsOf(app);
  agentId = await importAgent(app.addresses.url, agent.url);
});
afterAll(async () => {
  bindings?.close();
  await app?.close();
  await agent?.close();
});

/** The agent has said that it has a task, which is submitted, and nothing else. */
describe.each(['JSON-RPC', 'HTTP+JSON', 'gRPC'] as const)('a stream of 1.0 over %s', (name) => {
  const binding = () => bindings.all.find((it) => it.name === name)!;

  test('begins with the task before anything has changed', async () => {
    const { events } = await binding().call(
      'SendStreamingMessage',
      agentId,
      { message: userMessage('go') },
      { take: 1 },
    );
    expect(events).toMatchObject([{ task: { status: { state: 'TASK_STATE_SUBMITTED' }, history: [{}] } }]);
    const script = await agent.next();
    script.status('COMPLETED');
    script.end();
  });
});

test('in the early era, which has no event for a task, the first one is its state', async () => {
  const id = crypto.randomUUID();
  const response = await fetch(`${app.addresses.url}a2a/${agentId}/tasks/sendSubscribe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id, message: { role: 'user', parts: [{ type: 'text', text: 'go' }] } }),
  });
  const events = readEvents(response);
  const [first] = await take(events, 1);
  expect(first!.data).toMatchObject({ id, status: { state: 'submitted' }, final: false });
  const script = await agent.next();
  script.status('COMPLETED');
  script.end();
  expect((await rest(events)).at(-1)!.data).toMatchObject({ status: { state: 'completed' }, final: true });
});
