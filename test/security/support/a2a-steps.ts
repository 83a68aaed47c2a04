import { randomUUID } from 'node:crypto';
import type { Operation } from '../../../src/protocol/a2a/requests.ts';
import { A2A_DOORS, type A2aDoor } from './a2a-doors.ts';
import { makeConfig, makeTask, type Step, type Tenant } from './tenants.ts';

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

/** Each operation, at each door that offers it; and the cards. */
export const A2A_STEPS: readonly Step[] = [
  ...A2A_DOORS.flatMap((door) =>
    (Object.keys(A2A_TARGETS) as Operation[])
      .filter((operation) => door.offers(operation))
      .map((operation) => a2aStep(door, operation)),
  ),
  cardStep('agent-card.json'),
  cardStep('agent.json'),
];
