import { randomUUID } from 'node:crypto';
import type { Scope } from '../../../src/auth/principal.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { Operation } from '../../../src/protocol/a2a/requests.ts';
import { HIDDEN_WORD, type World } from '../support/world.ts';
import { READ, SEND, SEND_AND_READ, TASKS } from './scopes.ts';

/** What an operation of A2A needs, in every binding and dialect. */
export interface A2aRule {
  readonly scopes: readonly Scope[];
  readonly stranger: ErrorCode;
  readonly anonymous: ErrorCode;
  /** The request of a call that the owner of the private agent may make. */
  readonly request: (world: World) => Promise<object> | object;
}

const rpcMessage = (): object => ({
  message: { messageId: randomUUID(), role: 'user', parts: [{ text: `ask: ${HIDDEN_WORD}?` }] },
});
const onTask = (scopes: readonly Scope[], request: A2aRule['request']): A2aRule => ({
  scopes,
  stranger: 'TASK_NOT_FOUND',
  anonymous: 'UNAUTHENTICATED',
  request,
});
const freshTask = async (world: World): Promise<string> => world.newTask(world.agents.PRIVATE);
const withConfig = async (world: World) => {
  const taskId = await freshTask(world);
  return { taskId, id: await world.newPushConfig(taskId) };
};

export const A2A_RULES: Readonly<Record<Operation, A2aRule>> = {
  SendMessage: { scopes: SEND, stranger: 'NOT_FOUND', anonymous: 'UNAUTHENTICATED', request: rpcMessage },
  SendStreamingMessage: { scopes: SEND, stranger: 'NOT_FOUND', anonymous: 'UNAUTHENTICATED', request: rpcMessage },
  GetTask: onTask(TASKS, ({ taskId: id }) => ({ id })),
  ListTasks: { scopes: TASKS, stranger: 'NOT_FOUND', anonymous: 'UNAUTHENTICATED', request: () => ({}) },
  CancelTask: onTask(SEND_AND_READ, async (world) => ({ id: await freshTask(world) })),
  SubscribeToTask: onTask(TASKS, ({ taskId: id }) => ({ id })),
  CreateTaskPushNotificationConfig: onTask(SEND_AND_READ, async (world) => ({
    taskId: await freshTask(world),
    id: `made-${HIDDEN_WORD}`,
    url: world.webhook.url,
  })),
  GetTaskPushNotificationConfig: onTask(TASKS, withConfig),
  ListTaskPushNotificationConfigs: onTask(TASKS, async (world) => ({ taskId: (await withConfig(world)).taskId })),
  DeleteTaskPushNotificationConfig: onTask(SEND_AND_READ, withConfig),
  GetExtendedAgentCard: { scopes: READ, stranger: 'NOT_FOUND', anonymous: 'UNAUTHENTICATED', request: () => ({}) },
};
