import { randomUUID } from 'node:crypto';
import { type Client, credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Operation } from '../../../src/protocol/a2a/requests.ts';
import { ask, data } from '../../support/app.ts';
import type { CardServer } from '../../support/card-server.ts';
import { tokenFor } from '../../support/tokens.ts';
import { A2A_DOORS, type A2aDoor } from './a2a-doors.ts';
import type { Talker } from './talker.ts';

/** Two tenants of one server, everything of each marked by a word of its own, and what each may try. */

/** What both tenants use. */
export interface Ground {
  readonly url: string;
  readonly a2aGrpc: Client;
  /** An agent that anyone may use. */
  readonly shared: string;
  /** Another one, which keeps conversations of its own. */
  readonly talker: Talker;
  readonly cards: CardServer;
  readonly webhook: string;
}

/** A tenant, and what they made so far: the model. */
export interface Tenant {
  readonly ground: Ground;
  readonly name: string;
  readonly subject: string;
  readonly token: string;
  /** In every name and text of theirs. */
  readonly word: string;
  agents: string[];
  /** Tasks that wait for input. */
  tasks: string[];
  configs: { readonly taskId: string; readonly id: string }[];
  /** Every event that came to their subscriptions, as text. */
  readonly heard: string[];
  /** What went wrong on a subscription. */
  readonly faults: unknown[];
  stopListening: () => Promise<void>;
}

export const openGround = ({ grpc, ...more }: Omit<Ground, 'a2aGrpc'> & { readonly grpc: string }): Ground => ({
  ...more,
  a2aGrpc: new GrpcClient(grpc, credentials.createInsecure()),
});

export const graph = async (tenant: Tenant, query: string, variables: object = {}) => {
  return graphAs(tenant.token, tenant.ground, query, variables);
};
/** With another token than the tenant's own. */
export const graphAs = async (token: string, ground: Ground, query: string, variables: object) => {
  const { status, data, errors } = await ask(ground.url, query, variables, token);
  return { ok: errors === undefined, raw: JSON.stringify({ status, data, errors }), data };
};
export const mutation = (field: string, type: string, shown: string): string =>
  `mutation($input: ${type}!) { ${field}(input: $input) { ${shown} } }`;

export async function newTenant(ground: Ground, name: string): Promise<Tenant> {
  const subject = randomUUID();
  const tenant: Tenant = {
    ground,
    name,
    subject,
    token: await tokenFor(subject),
    // In lower case, as handles are.
    word: `word${name.toLowerCase()}${randomUUID().slice(0, 8)}`,
    agents: [],
    tasks: [],
    configs: [],
    heard: [],
    faults: [],
    stopListening: async () => undefined,
  };
  await makeAgent(tenant);
  return tenant;
}

/** Everything that a tenant can listen to, also while naming the other one in the filter. */
export function listen(tenant: Tenant, other: Tenant): void {
  const client = createClient({
    url: `${tenant.ground.url.replace('http', 'ws')}graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${tenant.token}` },
    lazy: false,
    retryAttempts: 0,
  });
  const task = 'taskId agentId task { id owner statusMessage { parts { text } } history { parts { text } } }';
  const since = new Date(0).toISOString();
  const subscriptions = [
    '{ agentsChanged { agentId handle agent { name description } } }',
    `{ agentsChanged(filter: { owner: "${other.subject}" }) { agentId handle agent { name } } }`,
    `{ agentsChanged(filter: { agentIds: ["${other.agents[0]}"] }) { agentId handle agent { name } } }`,
    `{ tasksChanged { ${task} } }`,
    `{ tasksChanged(filter: { owner: "${other.subject}" }) { ${task} } }`,
    `{ tasksChanged(filter: { agentId: "${tenant.ground.shared}", statusTimestampAfter: "${since}" }) { ${task} } }`,
  ];
  const reads = subscriptions.map(async (text) => {
    try {
      for await (const event of client.iterate({ query: `subscription ${text}` })) {
        tenant.heard.push(JSON.stringify(event));
        if (event.errors !== undefined) tenant.faults.push(event.errors);
      }
    } catch (thrown) {
      tenant.faults.push(thrown);
    }
  });
  tenant.stopListening = async () => {
    await client.dispose();
    await Promise.all(reads);
  };
}

export async function makeAgent(tenant: Tenant): Promise<string> {
  const { word } = tenant;
  const input = {
    name: `${word} agent`,
    description: word,
    executionType: 'ECHO',
    visibility: 'PRIVATE',
    skills: [{ key: word, name: word, tags: [word] }],
    authentication: { type: 'BEARER', token: `${word}-token` },
  };
  const made = await data(
    tenant.ground.url,
    mutation('registerAgent', 'RegisterAgentInput', 'id'),
    { input },
    tenant.token,
  );
  tenant.agents.push(made['registerAgent'].id);
  return made['registerAgent'].id;
}

export async function makeTask(tenant: Tenant, agentId: string): Promise<string> {
  const input = { agentId, text: `ask: ${tenant.word}?` };
  const made = await data(
    tenant.ground.url,
    mutation('sendMessage', 'SendMessageInput', 'task { id }'),
    { input },
    tenant.token,
  );
  const { id } = made['sendMessage'].task;
  tenant.tasks.push(id);
  return id;
}

async function makeConfig(tenant: Tenant): Promise<{ taskId: string; id: string }> {
  const taskId = await makeTask(tenant, tenant.ground.shared);
  const id = `${tenant.word}-hook-${randomUUID()}`;
  const input = { taskId, key: id, url: `${tenant.ground.webhook}?${tenant.word}`, token: `${tenant.word}-push` };
  await data(
    tenant.ground.url,
    mutation('createPushNotificationConfig', 'CreatePushNotificationConfigInput', 'id'),
    { input },
    tenant.token,
  );
  tenant.configs.push({ taskId, id });
  return { taskId, id };
}

/** What a step came to. `ok`: it was allowed. */
export interface Seen {
  readonly ok: boolean;
  readonly raw: string;
}

/** Something that one tenant does to what the other one (or the tenant itself) owns. */
export interface Step {
  readonly name: string;
  /** Allowed whoever owns the thing, as the answer has only one's own in it. */
  readonly lists?: boolean;
  /** The answer has something of the actor's in it. */
  readonly shows?: boolean;
  run(actor: Tenant, owner: Tenant): Promise<Seen>;
}

export const graphStep = (name: string, run: Step['run'], lists = false, shows = false): Step => ({
  name: `GraphQL ${name}`,
  run,
  lists,
  shows,
});

/** A refusal counts only when nothing was done. */
export const done = (seen: Seen, happened: boolean): Seen => ({ ok: seen.ok || happened, raw: seen.raw });

const AGENT = 'id name description handle skills { key } history(first: 3) { nodes { actor changes { field after } } }';
const TASK = 'id owner history { parts { text } } statusMessage { parts { text } } pushNotificationConfigs { key url }';

const GRAPH_STEPS: readonly Step[] = [
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

const toWebhook = ({ ground, word }: Tenant): string => `${ground.webhook}?${word}`;

/** What each operation of A2A is tried with, and at which agent's address. */
const A2A_TARGETS: {
  readonly [O in Operation]: (actor: Tenant, owner: Tenant) => Promise<{ agentId: string; request: object }>;
} = {
  SendMessage: async (actor, owner) => ({ agentId: owner.agents[0]!, request: greeting(actor) }),
  SendStreamingMessage: async (actor, owner) => ({ agentId: owner.agents[0]!, request: greeting(actor) }),
  GetTask: async (_actor, owner) => {
    const id = await makeTask(owner, owner.ground.shared);
    return { agentId: owner.ground.shared, request: { id } };
  },
  ListTasks: async (_actor, owner) => ({ agentId: owner.ground.shared, request: {} }),
  CancelTask: async (_actor, owner) => {
    const id = await makeTask(owner, owner.ground.shared);
    owner.tasks = owner.tasks.filter((other) => other !== id);
    return { agentId: owner.ground.shared, request: { id } };
  },
  SubscribeToTask: async (_actor, owner) => ({
    agentId: owner.ground.shared,
    request: { id: await makeTask(owner, owner.ground.shared) },
  }),
  CreateTaskPushNotificationConfig: async (actor, owner) => ({
    agentId: owner.ground.shared,
    request: {
      taskId: await makeTask(owner, owner.ground.shared),
      id: `${actor.word}-tried`,
      url: toWebhook(actor),
    },
  }),
  GetTaskPushNotificationConfig: async (_actor, owner) => ({
    agentId: owner.ground.shared,
    request: await makeConfig(owner),
  }),
  ListTaskPushNotificationConfigs: async (_actor, owner) => ({
    agentId: owner.ground.shared,
    request: { taskId: (await makeConfig(owner)).taskId },
  }),
  DeleteTaskPushNotificationConfig: async (_actor, owner) => {
    const config = await makeConfig(owner);
    owner.configs = owner.configs.filter((other) => other.id !== config.id);
    return { agentId: owner.ground.shared, request: config };
  },
  GetExtendedAgentCard: async (_actor, owner) => ({ agentId: owner.agents[0]!, request: {} }),
};

const greeting = ({ word }: Tenant): object => ({
  message: { messageId: randomUUID(), role: 'user', parts: [{ text: `ask: ${word}?` }] },
});

const a2aStep = (door: A2aDoor, operation: Operation): Step => ({
  name: `${door.name} ${operation}`,
  lists: operation === 'ListTasks',
  async run(actor, owner) {
    const { agentId, request } = await A2A_TARGETS[operation](actor, owner);
    return door.call(actor.ground, actor.token, agentId, operation, request as never);
  },
});

/** A card, over HTTP. */
const cardStep = (path: string): Step => ({
  name: `card ${path}`,
  async run(actor, owner) {
    const response = await fetch(`${actor.ground.url}agents/${owner.agents[0]}/.well-known/${path}`, {
      headers: { authorization: `Bearer ${actor.token}` },
    });
    return { ok: response.ok, raw: await response.text() };
  },
});

/** What each operation and each root of the graph is tried with. */
export const STEPS: readonly Step[] = [
  ...GRAPH_STEPS,
  ...A2A_DOORS.flatMap((door) =>
    (Object.keys(A2A_TARGETS) as Operation[])
      .filter((operation) => door.offers(operation))
      .map((operation) => a2aStep(door, operation)),
  ),
  cardStep('agent-card.json'),
  cardStep('agent.json'),
];
