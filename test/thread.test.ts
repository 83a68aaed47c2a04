import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientFactory } from '@a2a-js/sdk/client';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { App } from '../src/app.ts';
import { connectPublished } from './flyte/support/published.ts';
import { data, startTestApp } from './support/app.ts';
import { startCostsSubgraph } from './support/remote-subgraph.ts';
import { startSdkAgent } from './support/sdk-agent.ts';
import { SOON } from './support/soon.ts';

let app: App;
let agent: Awaited<ReturnType<typeof startSdkAgent>>;
let costs: Awaited<ReturnType<typeof startCostsSubgraph>>;
let folder: string;

beforeAll(async () => {
  agent = await startSdkAgent();
  costs = await startCostsSubgraph((id) => id.length / 100);
  folder = mkdtempSync(join(tmpdir(), 'rollcall-thread-'));
  writeFileSync(join(folder, 'subgraphs.json'), JSON.stringify([{ name: 'costs', url: costs.url }]));
  app = await startTestApp({ SUBGRAPHS: join(folder, 'subgraphs.json') });
});

afterAll(async () => {
  await app?.close();
  await costs?.close();
  await agent?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('one thread through every door: import, send, watch, Flyte, and a federated query', async () => {
  const { url, flyte } = app.addresses;

  const { importAgent } = await data(
    url,
    `mutation($url: String!) { importAgent(input: { url: $url }) { id name executionType skills { key } sourceCard { digest era } } }`,
    { url: agent.url },
  );
  expect(importAgent.executionType).toBe('A2A');
  expect(importAgent.skills.length).toBeGreaterThan(0);
  expect(importAgent.sourceCard.digest).toMatch(/^[0-9a-f]{64}$/);

  // In by A2A, with a client that is not ours; watched by GraphQL over WebSocket.
  const client = await new ClientFactory().createFromUrl(`${url}a2a/${importAgent.id}/`);
  const sent = await client.sendMessage({
    tenant: '',
    message: {
      messageId: crypto.randomUUID(),
      role: 1,
      parts: [{ content: { $case: 'text', value: 'hello' }, metadata: undefined, filename: '', mediaType: '' }],
      contextId: '',
      taskId: '',
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
    },
    configuration: { acceptedOutputModes: [], returnImmediately: true, taskPushNotificationConfig: undefined },
    metadata: undefined,
  } as never);
  const taskId = (sent as { id: string }).id;

  const socket = createClient({
    url: `${url.replace('http', 'ws')}graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });
  const states: string[] = [];
  for await (const event of socket.iterate<{ taskEvents: { state: string; task: { agent: { name: string } } } }>({
    query: `subscription($id: ID!) { taskEvents(taskId: $id) { state sequence kind task { agent { name } } } }`,
    variables: { id: taskId },
  })) {
    expect(event.errors).toBeUndefined();
    states.push(event.data!.taskEvents.state);
    expect(event.data!.taskEvents.task.agent.name).toBe(importAgent.name);
  }
  await socket.dispose();
  expect(states.at(-1)).toBe('COMPLETED');

  // Flyte's own classes ask for the agents with task categories.
  await data(
    url,
    `mutation { registerAgent(input: { name: "Warehouse", executionType: FLYTE, flyteName: "Warehouse Agent", taskCategories: [{ name: "warehouse_query" }] }) { id } }`,
  );
  const listed = await listFlyteAgents(flyte!, (names) => names.includes('Warehouse Agent'));
  expect(listed.find((a) => a.name === 'Warehouse Agent')?.supportedTaskCategories?.[0]?.name).toBe('warehouse_query');

  // One query joins the registry with another team's subgraph.
  const { agents, currency } = await data(url, `{ currency agents(first: 50) { nodes { name costPerCall } } }`);
  expect(currency).toBe('EUR');
  expect(agents.nodes.length).toBeGreaterThanOrEqual(3);
  for (const node of agents.nodes) expect(node.costPerCall).toBe(0.36);
});

/** ListAgents until the answer has what is waited for: changes arrive by event. */
async function listFlyteAgents(address: string, wanted: (names: string[]) => boolean) {
  const flyte = connectPublished(Number(address.split(':')[1]));
  try {
    for (const until = Date.now() + SOON.timeout; ; ) {
      const { agents } = await flyte.metadataService.listAgents({});
      if (wanted(agents.map((a) => a.name ?? '')) || Date.now() > until) return agents;
    }
  } finally {
    flyte.close();
  }
}
