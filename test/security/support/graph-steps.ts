import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import {
  done,
  graph,
  graphStep,
  makeAgent,
  makeConfig,
  makeTask,
  mutation,
  type Step,
  type Tenant,
} from './tenants.ts';

const AGENT = 'id name description handle skills { key } history(first: 3) { nodes { actor changes { field after } } }';
const TASK = 'id owner history { parts { text } } statusMessage { parts { text } } pushNotificationConfigs { key url }';

/** What each root of the graph is tried with. */
export const GRAPH_STEPS: readonly Step[] = [
  graphStep('agent', async (actor, owner) => {
    const seen = await graph(actor, `query($id: ID!) { agent(id: $id) { ${AGENT} } }`, { id: owner.agents[0] });
    return { ...seen, ok: seen.data?.['agent'] !== null };
  }),
  graphStep(
    'agents',
    (actor, owner) =>
      graph(
        actor,
        `query($f: AgentFilterInput) { agents(first: 50, filter: $f) { nodes { ${AGENT} } totalCount { value } } }`,
        {
          f: { owner: owner.subject },
        },
      ),
    true,
  ),
  graphStep(
    'search',
    (actor, owner) =>
      graph(
        actor,
        `{ agents(search: "${owner.word}") { nodes { id name } facets(fields: [TAG]) { values { value } } } }`,
      ),
    true,
  ),
  graphStep(
    'all agents',
    (actor) =>
      graph(
        actor,
        `{ agents(first: 50) { nodes { ${AGENT} } facets(fields: [TAG, SKILL_KEY]) { values { value } } } }`,
      ),
    true,
    true,
  ),
  graphStep(
    'skills',
    (actor) => graph(actor, '{ skills(first: 200) { nodes { key agent { id name } } } }'),
    true,
    true,
  ),
  graphStep(
    'export',
    async (actor) => {
      let seen = await graph(actor, '{ exportRecords(first: 200) { records next } }');
      let raw = seen.raw;
      while (seen.ok && seen.data['exportRecords'].next !== null) {
        const after = seen.data['exportRecords'].next;
        seen = await graph(
          actor,
          'query($after: String) { exportRecords(first: 200, after: $after) { records next } }',
          {
            after,
          },
        );
        raw += seen.raw;
      }
      return { ok: seen.ok, raw };
    },
    true,
    true,
  ),
  graphStep('updateAgent', async (actor, owner) =>
    graph(actor, mutation('updateAgent', 'UpdateAgentInput', 'id'), {
      input: { id: owner.agents[0], version: randomUUID() },
    }),
  ),
  graphStep('deleteAgent', async (actor, owner) => {
    const id = await makeAgent(owner);
    owner.agents = owner.agents.filter((other) => other !== id);
    const seen = await graph(actor, mutation('deleteAgent', 'DeleteAgentInput', 'id'), { input: { id } });
    return done(seen, (await graph(owner, `{ agent(id: "${id}") { id } }`)).data['agent'] === null);
  }),
  graphStep('task', async (actor, owner) => {
    const id = owner.tasks[0] ?? (await makeTask(owner, owner.agents[0]!));
    const seen = await graph(actor, `query($id: ID!) { task(id: $id) { ${TASK} } }`, { id });
    return { ...seen, ok: seen.data?.['task'] !== null };
  }),
  graphStep(
    'tasks',
    (actor, owner) =>
      graph(
        actor,
        `query($f: TaskFilterInput) { tasks(first: 50, filter: $f) { nodes { ${TASK} } totalCount { value } } }`,
        {
          f: { owner: owner.subject },
        },
      ),
    true,
  ),
  graphStep(
    'all tasks',
    async (actor) => {
      if (actor.tasks.length === 0) await makeTask(actor, actor.ground.shared);
      return graph(actor, `{ tasks(first: 50) { nodes { ${TASK} } } }`);
    },
    true,
    true,
  ),
  graphStep(
    'tasks of an agent',
    (actor) =>
      graph(actor, `query($id: ID!) { agent(id: $id) { tasks(first: 50) { nodes { ${TASK} } } } }`, {
        id: actor.ground.shared,
      }),
    true,
  ),
  graphStep('sendMessage', (actor, owner) =>
    graph(actor, mutation('sendMessage', 'SendMessageInput', 'task { id }'), {
      input: { agentId: owner.agents[0], text: `to ${actor.word}` },
    }),
  ),
  graphStep('sendMessage into a task', async (actor, owner) => {
    const taskId = await makeTask(owner, owner.ground.shared);
    owner.tasks = owner.tasks.filter((other) => other !== taskId);
    return graph(actor, mutation('sendMessage', 'SendMessageInput', 'task { id history { parts { text } } }'), {
      input: { agentId: actor.ground.shared, taskId, text: `more of ${actor.word}` },
    });
  }),
  graphStep(
    'sendMessage with the same ids and key',
    async (actor, owner) => {
      const messageId = randomUUID();
      const send = (tenant: Tenant) =>
        graph(tenant, mutation('sendMessage', 'SendMessageInput', `task { ${TASK} }`), {
          input: { agentId: tenant.ground.shared, text: 'the same words', messageId, idempotencyKey: messageId },
        });
      const first = await send(owner);
      const seen = await send(actor);
      const joined = first.data?.['sendMessage'].task.id === seen.data?.['sendMessage'].task.id;
      return { ok: seen.ok && joined === (actor === owner), raw: seen.raw };
    },
    true,
  ),
  graphStep('cancelTask', async (actor, owner) => {
    const id = await makeTask(owner, owner.ground.shared);
    owner.tasks = owner.tasks.filter((other) => other !== id);
    const seen = await graph(actor, mutation('cancelTask', 'CancelTaskInput', 'id'), { input: { id } });
    return done(seen, (await graph(owner, `{ task(id: "${id}") { state } }`)).raw.includes('CANCELED'));
  }),
  graphStep('createPushNotificationConfig', async (actor, owner) =>
    graph(actor, mutation('createPushNotificationConfig', 'CreatePushNotificationConfigInput', 'key'), {
      input: { taskId: await makeTask(owner, owner.ground.shared), url: actor.ground.webhook },
    }),
  ),
  graphStep('deletePushNotificationConfig', async (actor, owner) => {
    const { taskId, id } = await makeConfig(owner);
    owner.configs = owner.configs.filter((other) => other.id !== id);
    const seen = await graph(
      actor,
      mutation('deletePushNotificationConfig', 'DeletePushNotificationConfigInput', 'id'),
      {
        input: { taskId, key: id },
      },
    );
    const left = await graph(owner, `{ task(id: "${taskId}") { pushNotificationConfigs { key } } }`);
    return done(seen, !left.raw.includes(id));
  }),
  graphStep('taskEvents', async (actor, owner) => {
    const id = await makeTask(owner, owner.ground.shared);
    const client = createClient({
      url: `${actor.ground.url.replace('http', 'ws')}graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${actor.token}` },
      retryAttempts: 0,
    });
    try {
      const query = `subscription($id: ID!) { taskEvents(taskId: $id) { task { ${TASK} } message { parts { text } } } }`;
      const { value } = await client.iterate({ query, variables: { id } }).next();
      return { ok: value?.errors === undefined && value !== undefined, raw: JSON.stringify(value ?? null) };
    } catch (thrown) {
      return { ok: false, raw: JSON.stringify(thrown) };
    } finally {
      await client.dispose();
    }
  }),
];
