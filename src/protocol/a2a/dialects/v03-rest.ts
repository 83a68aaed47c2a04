import { type Codec, isObject, list, optional, required, struct } from '../codec.ts';
import { messageIdOf } from '../message-id.ts';
import {
  type Artifact,
  type ArtifactUpdate,
  closesStream,
  type Message,
  type PushConfig,
  type StatusUpdate,
  type Task,
  type TaskStatus,
} from '../model.ts';
import { wrappedPart } from '../parts.ts';
import type * as R from '../requests.ts';
import {
  anything,
  boolean,
  id,
  idOrAbsent,
  integer,
  json,
  protoRole,
  protoStateTwoLs,
  text,
  textOrAbsent,
} from '../scalars.ts';
import { makeDialect } from './dialect.ts';
import { innerPushConfig } from './older.ts';
import { nothing, oneOf, statusTime } from './shared.ts';
import { toConfiguration, v03 } from './v03.ts';

/**
 * A2A 0.3's HTTP+JSON form: the ProtoJSON of package a2a.v1. Its peers parse strictly, so that only what that package
 * defines is written. Requests are read and written with path and query parameters merged in, under the model's names.
 */

const PROTO = { snake: true, extras: false };
const texts = list(text);
const isFalse = (flag: boolean): boolean => flag === false;

const message: Codec<Message> = struct<Message>(
  {
    messageId: required(id, { mend: messageIdOf }),
    contextId: optional(idOrAbsent),
    taskId: optional(idOrAbsent),
    role: required(protoRole, { mend: () => 'agent' }),
    parts: required(list(wrappedPart, 1), { wire: 'content', mend: () => [] }),
    metadata: optional(json),
    extensions: optional(texts),
    referenceTaskIds: null,
  },
  PROTO,
);

const status = struct<TaskStatus>(
  {
    state: required(protoStateTwoLs, { mend: () => 'unknown' }),
    message: optional(message),
    timestamp: optional(statusTime),
  },
  PROTO,
);

const artifact = struct<Artifact>(
  {
    artifactId: required(id),
    name: optional(text),
    description: optional(text),
    parts: required(list(wrappedPart, 1), { mend: () => [] }),
    metadata: optional(json),
    extensions: optional(texts),
  },
  PROTO,
);

const task = struct<Task>(
  {
    id: required(id),
    contextId: optional(idOrAbsent),
    status: required(status),
    artifacts: optional(list(artifact)),
    history: optional(list(message)),
    metadata: optional(json),
  },
  PROTO,
);

const statusUpdate = struct<StatusUpdate>(
  { taskId: required(id), contextId: optional(idOrAbsent), status: required(status), metadata: optional(json) },
  { ...PROTO, computed: { final: ({ status: { state } }) => closesStream(state) || undefined } },
);

const artifactUpdate = struct<ArtifactUpdate>(
  {
    taskId: required(id),
    contextId: optional(idOrAbsent),
    artifact: required(artifact),
    append: optional(boolean, { omit: isFalse }),
    lastChunk: optional(boolean, { omit: isFalse }),
    metadata: optional(json),
  },
  PROTO,
);

interface NamedConfig {
  readonly name?: string;
  readonly taskId?: string;
  readonly config: PushConfig;
}
const namedConfig = struct<NamedConfig>(
  {
    name: optional(text),
    taskId: optional(idOrAbsent, { omit: () => true }),
    config: required(innerPushConfig({ ids: true, proto: true }), { wire: 'pushNotificationConfig' }),
  },
  PROTO,
);

/** A config is named by its resource, `tasks/{task}/pushNotificationConfigs/{config}`; the task is known by that, or by the path. */
const pushConfigOf = <T extends PushConfig>(): Codec<T> => ({
  read(value, path, source) {
    const { name = '', taskId, config } = namedConfig.read(value, path, source);
    const [, taskInName, configInName] = /^tasks\/([^/]+)(?:\/pushNotificationConfigs\/([^/]*))?$/.exec(name) ?? [];
    const task = taskId ?? taskInName;
    const configId = config.id || configInName;
    return {
      ...config,
      ...(task === undefined ? {} : { taskId: task }),
      ...(configId ? { id: configId } : {}),
    } as unknown as T;
  },
  write({ taskId = '', ...config }, target) {
    const name = `tasks/${taskId}/pushNotificationConfigs/${config.id ?? ''}`;
    return namedConfig.write({ name, config: config as unknown as PushConfig }, target);
  },
});
const pushConfig = pushConfigOf<PushConfig>();

const wireNames = { message: ['message', 'msg'] };
const sendResult = oneOf<{ task: Task; message: Message }, R.ResultOf['SendMessage']>({ task, message }, wireNames);
const streamEvent = oneOf<
  { task: Task; message: Message; statusUpdate: StatusUpdate; artifactUpdate: ArtifactUpdate },
  R.ResultOf['SendStreamingMessage']
>({ task, message, statusUpdate, artifactUpdate }, wireNames);

const count = integer(0);
const send = struct<R.SendRequest>(
  {
    tenant: null,
    message: required(message),
    configuration: optional(
      toConfiguration(
        struct<Omit<R.SendConfiguration, 'returnImmediately'> & { readonly blocking?: boolean }>(
          {
            acceptedOutputModes: optional(texts),
            taskPushNotificationConfig: optional(innerPushConfig({ ids: true, proto: true }), {
              wire: 'pushNotification',
            }),
            historyLength: optional(count),
            blocking: optional(boolean),
          },
          PROTO,
        ),
        { returnImmediately: true },
      ),
    ),
    metadata: optional(json),
    clientIds: null,
  },
  PROTO,
);

const absent = { tenant: null, metadata: null };
const taskId = required(id);

export const v03Rest = makeDialect({
  name: '0.3-rest',
  clientChosenIds: false,
  webhook: v03.webhook,
  unnamedPushConfig: v03.unnamedPushConfig,
  requests: {
    SendMessage: send,
    SendStreamingMessage: send,
    GetTask: struct<R.GetRequest>({ ...absent, id: required(id), historyLength: optional(count) }, PROTO),
    ListTasks: null,
    CancelTask: struct<R.CancelRequest>({ ...absent, id: required(id) }, PROTO),
    SubscribeToTask: struct<R.SubscribeRequest>({ ...absent, id: required(id), historyLength: null }, PROTO),
    CreateTaskPushNotificationConfig: {
      read: (value, path, source) => pushConfigOf<R.PushCreateRequest>().read(value, path, source),
      // The task's id is for the path; the rest is the body.
      write: (config, target) => ({ ...(pushConfig.write(config, target) as object), taskId: config.taskId }),
    },
    GetTaskPushNotificationConfig: struct<R.PushGetRequest>({ ...absent, taskId, id: optional(idOrAbsent) }, PROTO),
    ListTaskPushNotificationConfigs: struct<R.PushListRequest>(
      { ...absent, taskId, pageSize: optional(count), pageToken: optional(textOrAbsent) },
      PROTO,
    ),
    DeleteTaskPushNotificationConfig: struct<R.PushDeleteRequest>({ ...absent, taskId, id: required(id) }, PROTO),
    GetExtendedAgentCard: { read: () => ({}), write: () => ({}) },
  },
  results: {
    SendMessage: sendResult,
    GetTask: task,
    ListTasks: null,
    CancelTask: task,
    CreateTaskPushNotificationConfig: pushConfig,
    GetTaskPushNotificationConfig: pushConfig,
    ListTaskPushNotificationConfigs: struct<R.PushListResult>(
      {
        configs: required(list(pushConfig), { mend: () => [] }),
        nextPageToken: required(text, { mend: () => '' }),
      },
      PROTO,
    ),
    DeleteTaskPushNotificationConfig: nothing,
    GetExtendedAgentCard: anything,
  },
  event: {
    knows: streamEvent.knows,
    read: streamEvent.read,
    write: (event, target) => [streamEvent.write(event, target)],
    final(wire) {
      const update = isObject(wire) ? (wire.statusUpdate ?? wire.status_update) : undefined;
      return isObject(update) && update.final === true ? true : undefined;
    },
  },
  shared: new Set(),
  task: {
    // Webhooks of 0.3 carry the JSON-RPC form of the task, whatever binding they were registered through.
    read: task.read,
    write: (value) => v03.writeResult('SendMessage', { task: value }),
  },
});
