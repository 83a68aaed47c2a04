import { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } from 'a2a-sdk-0.3/client';
import type { ClientKind } from './client.ts';
import { plainEvent, plainEvents, plainPush, plainSend, plainTask } from './plain-views.ts';

const TRANSPORTS = { 'JSON-RPC': JsonRpcTransportFactory, REST: RestTransportFactory } as const;

const kind = (binding: keyof typeof TRANSPORTS): ClientKind => ({
  name: `SDK 0.3.14 ${binding}`,
  messageIds: true,
  choosesIds: false,
  begins: 'task',
  finals: true,
  // It drops `append` when it reads the HTTP+JSON form, in which files have no names.
  appends: binding === 'JSON-RPC',
  names: binding === 'JSON-RPC',
  delivery: plainEvent,
  webhook: '0.3',
  schema: binding === 'JSON-RPC' ? '0.3' : undefined,
  async connect(base) {
    const client = await new ClientFactory({ transports: [new TRANSPORTS[binding]()] }).createFromUrl(base);
    return {
      send: async (text, options) => plainTask(await client.sendMessage(plainSend(text, options))),
      stream: (text, options) => plainEvents(client.sendMessageStream(plainSend(text, options))),
      get: async (id) => plainTask(await client.getTask({ id })),
      cancel: async (id) => plainTask(await client.cancelTask({ id })),
      resubscribe: (id) => plainEvents(client.resubscribeTask({ id })),
      async push(taskId, hook) {
        const config = { taskId, pushNotificationConfig: { id: 'mine', ...plainPush(hook) } };
        await client.setTaskPushNotificationConfig(config);
        // Its type lacks the config's id, which its transports send.
        const wanted: { id: string } = { id: taskId, pushNotificationConfigId: 'mine' } as never;
        const read = await client.getTaskPushNotificationConfig(wanted);
        return read.pushNotificationConfig.url;
      },
    };
  },
});

export const sdk03 = [kind('JSON-RPC'), kind('REST')];
