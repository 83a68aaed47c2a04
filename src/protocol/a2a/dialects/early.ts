import { type Codec, list, objectAt, optional, required, struct } from '../codec.ts';
import type { JsonObject, Message, PushConfig } from '../model.ts';
import type * as R from '../requests.ts';
import { id, idOrAbsent, integer, json, text } from '../scalars.ts';
import { makeDialect } from './dialect.ts';
import { completedBy, event, message, task } from './early-shapes.ts';
import { innerPushConfig, nestedPushConfig } from './older.ts';

/**
 * The early era (`tasks/send`, March to May 2025, tagged v0.1.0): clients choose task ids and sessions, messages have no
 * ids, artifacts are numbered. Answers to the three methods that it shares with 0.3 also carry 0.3's members.
 */

const count = integer(0);

interface SendParams {
  readonly taskId: string;
  readonly contextId?: string;
  readonly message: Message;
  readonly acceptedOutputModes?: readonly string[];
  readonly taskPushNotificationConfig?: PushConfig;
  readonly historyLength?: number;
  readonly metadata?: JsonObject;
}
const sendParams = struct<SendParams>({
  taskId: required(id, { wire: 'id' }),
  contextId: optional(idOrAbsent, { wire: 'sessionId' }),
  // A client's message never has an id, so that one is made here in requests too.
  message: required({
    read: (value, path, source) => {
      const wire = objectAt(value, path);
      return message.read(wire.messageId == null ? { ...wire, messageId: source.newId() } : wire, path, source);
    },
    write: message.write,
  }),
  acceptedOutputModes: optional(list(text)),
  taskPushNotificationConfig: optional(innerPushConfig({ ids: false }), { wire: 'pushNotification' }),
  historyLength: optional(count),
  metadata: optional(json),
});

const CONFIGURATION = ['acceptedOutputModes', 'taskPushNotificationConfig', 'historyLength'] as const;
const send: Codec<R.SendRequest> = {
  read(value, path, source) {
    const { taskId, contextId, ...params } = sendParams.read(value, path, source);
    const rest: Record<string, unknown> = { ...params };
    const configuration: Record<string, unknown> = {};
    for (const name of CONFIGURATION) {
      if (rest[name] !== undefined) configuration[name] = rest[name];
      delete rest[name];
    }
    if (Object.keys(configuration).length > 0) rest.configuration = configuration;
    rest.clientIds = contextId === undefined ? { taskId } : { taskId, contextId };
    return rest as unknown as R.SendRequest;
  },
  write({ clientIds, configuration = {}, tenant: _, ...rest }, target) {
    const { message: said } = rest;
    const { returnImmediately: __, ...settings } = configuration;
    const contextId = clientIds?.contextId ?? said.contextId;
    const taskId = clientIds?.taskId ?? said.taskId ?? said.messageId;
    return sendParams.write(
      { ...rest, ...settings, taskId, ...(contextId === undefined ? {} : { contextId }) },
      target,
    );
  },
};

const metadata = optional(json);
const query = struct<R.GetRequest>({ tenant: null, id: required(id), historyLength: optional(count), metadata });
const pushConfig = nestedPushConfig('id', false);

export const early = makeDialect({
  name: 'early',
  clientChosenIds: true,
  webhook: { body: 'task', contentType: 'application/json' },
  unnamedPushConfig: 'task',
  requests: {
    SendMessage: send,
    SendStreamingMessage: send,
    GetTask: query,
    ListTasks: null,
    CancelTask: struct<R.CancelRequest>({ tenant: null, id: required(id), metadata }),
    SubscribeToTask: query,
    CreateTaskPushNotificationConfig: nestedPushConfig<R.PushCreateRequest>('id', false),
    GetTaskPushNotificationConfig: struct<R.PushGetRequest>({
      tenant: null,
      taskId: required(id, { wire: 'id' }),
      id: null,
      metadata,
    }),
    ListTaskPushNotificationConfigs: null,
    DeleteTaskPushNotificationConfig: null,
    GetExtendedAgentCard: null,
  },
  results: {
    SendMessage: {
      read: (value, path, source) => ({ task: task.read(value, path, source) }),
      write: (result, target) => task.write(result.task ?? completedBy(result.message, target), target),
    },
    GetTask: task,
    ListTasks: null,
    CancelTask: task,
    CreateTaskPushNotificationConfig: pushConfig,
    GetTaskPushNotificationConfig: pushConfig,
    ListTaskPushNotificationConfigs: null,
    DeleteTaskPushNotificationConfig: null,
    GetExtendedAgentCard: null,
  },
  event,
  shared: new Set<R.Operation>(['GetTask', 'CancelTask', 'SubscribeToTask']),
  task,
});
