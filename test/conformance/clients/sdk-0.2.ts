import { A2AClient } from 'a2a-sdk-0.2/client';
import type { ClientKind } from './client.ts';
import { plainEvent, plainEvents, plainPush, plainSend, plainTask } from './plain-views.ts';

/** Its answers are whole JSON-RPC answers. */
function resultOf(answer: object): object {
  if ('result' in answer) return answer.result as object;
  throw new Error(`The answer is an error: ${JSON.stringify(answer)}`);
}

export const sdk02: ClientKind = {
  name: 'SDK 0.2.5 JSON-RPC',
  messageIds: true,
  choosesIds: false,
  begins: 'task',
  finals: true,
  appends: true,
  names: true,
  delivery: plainEvent,
  webhook: '0.3',
  schema: '0.3',
  async connect(base) {
    const client = new A2AClient(base);
    await client.getAgentCard();
    return {
      send: async (text, options) => plainTask(resultOf(await client.sendMessage(plainSend(text, options)))),
      stream: (text, options) => plainEvents(client.sendMessageStream(plainSend(text, options))),
      get: async (id) => plainTask(resultOf(await client.getTask({ id }))),
      cancel: async (id) => plainTask(resultOf(await client.cancelTask({ id }))),
      resubscribe: (id) => plainEvents(client.resubscribeTask({ id })),
      async push(taskId, hook) {
        const config = { taskId, pushNotificationConfig: plainPush(hook) };
        resultOf(await client.setTaskPushNotificationConfig(config));
        const read = resultOf(await client.getTaskPushNotificationConfig({ id: taskId }));
        return (read as typeof config).pushNotificationConfig.url;
      },
    };
  },
};
