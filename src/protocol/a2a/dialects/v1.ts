import { type Codec, list, optional, required, struct } from '../codec.ts';
import { messageIdOf } from '../message-id.ts';
import type {
  Artifact,
  ArtifactUpdate,
  Message,
  PushAuthentication,
  PushConfig,
  StatusUpdate,
  Task,
  TaskState,
  TaskStatus,
} from '../model.ts';
import { memberPart } from '../parts.ts';
import type * as R from '../requests.ts';
import {
  anything,
  boolean,
  id,
  idOrAbsent,
  integer,
  json,
  nonEmpty,
  protoRole,
  protoState,
  queryBoolean,
  text,
  textOrAbsent,
  timestamp,
} from '../scalars.ts';
import { makeDialect } from './dialect.ts';
import { nothing, oneOf, statusTime } from './shared.ts';

/** A2A 1.0 (and its patches): the ProtoJSON form of lf.a2a.v1 (specification §4, §5.5). */

const PROTO = { snake: true };
const texts = list(text);
const count = integer(0);
const isFalse = (flag: boolean): boolean => flag === false;

const message: Codec<Message> = struct<Message>(
  {
    messageId: required(id, { mend: messageIdOf }),
    contextId: optional(idOrAbsent),
    taskId: optional(idOrAbsent),
    role: required(protoRole, { mend: () => 'agent' }),
    parts: required(list(memberPart, 1), { mend: () => [] }),
    metadata: optional(json),
    extensions: optional(texts),
    referenceTaskIds: optional(texts),
  },
  PROTO,
);

const status = struct<TaskStatus>(
  {
    state: required(protoState, { mend: () => 'unknown' }),
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
    parts: required(list(memberPart, 1), { mend: () => [] }),
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
  PROTO,
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

const authentication = struct<PushAuthentication>({ scheme: required(nonEmpty), credentials: optional(text) }, PROTO);

const pushFields = {
  tenant: optional(textOrAbsent),
  id: optional(idOrAbsent),
  url: required(nonEmpty),
  token: optional(textOrAbsent),
  authentication: optional(authentication),
};
const pushConfig = struct<PushConfig>({ ...pushFields, taskId: optional(idOrAbsent) }, PROTO);
const pushCreate = struct<R.PushCreateRequest>({ ...pushFields, taskId: required(id) }, PROTO);

const send = struct<R.SendRequest>(
  {
    tenant: optional(textOrAbsent),
    message: required(message),
    configuration: optional(
      struct<R.SendConfiguration>(
        {
          acceptedOutputModes: optional(texts),
          taskPushNotificationConfig: optional(pushConfig),
          historyLength: optional(count),
          returnImmediately: optional(boolean),
        },
        PROTO,
      ),
    ),
    metadata: optional(json),
    clientIds: null,
  },
  PROTO,
);

const tenant = optional(textOrAbsent);
const taskId = required(id);

/** A filter by "unspecified" is no filter. */
const anyState: Codec<TaskState> = {
  read(value, path, source) {
    const state = protoState.read(value, path, source);
    return state === 'unknown' ? (undefined as unknown as TaskState) : state;
  },
  write: protoState.write,
};

const extendedCard = struct<R.ExtendedCardRequest>({ tenant }, PROTO);
const pushDelete = struct<R.PushDeleteRequest>({ tenant, taskId, id: required(id), metadata: null }, PROTO);

const sendResult = oneOf<{ task: Task; message: Message }, R.ResultOf['SendMessage']>({ task, message });
const streamEvent = oneOf<
  { task: Task; message: Message; statusUpdate: StatusUpdate; artifactUpdate: ArtifactUpdate },
  R.ResultOf['SendStreamingMessage']
>({ task, message, statusUpdate, artifactUpdate });

export const v1 = makeDialect({
  name: '1.0',
  clientChosenIds: false,
  webhook: { body: 'event', contentType: 'application/a2a+json' },
  unnamedPushConfig: 'new',
  requests: {
    SendMessage: send,
    SendStreamingMessage: send,
    GetTask: struct<R.GetRequest>({ tenant, id: required(id), historyLength: optional(count), metadata: null }, PROTO),
    ListTasks: struct<R.ListRequest>(
      {
        tenant,
        contextId: optional(idOrAbsent),
        status: optional(anyState),
        pageSize: optional(integer(1, 100)),
        pageToken: optional(textOrAbsent),
        historyLength: optional(count),
        statusTimestampAfter: optional(timestamp),
        includeArtifacts: optional(queryBoolean),
      },
      PROTO,
    ),
    CancelTask: struct<R.CancelRequest>({ tenant, id: required(id), metadata: optional(json) }, PROTO),
    SubscribeToTask: struct<R.SubscribeRequest>(
      { tenant, id: required(id), historyLength: null, metadata: null },
      PROTO,
    ),
    CreateTaskPushNotificationConfig: pushCreate,
    GetTaskPushNotificationConfig: pushDelete,
    ListTaskPushNotificationConfigs: struct<R.PushListRequest>(
      { tenant, taskId, pageSize: optional(integer(0)), pageToken: optional(textOrAbsent), metadata: null },
      PROTO,
    ),
    DeleteTaskPushNotificationConfig: pushDelete,
    GetExtendedAgentCard: {
      // The params are optional, because they hold nothing but the tenant.
      read: (value, path, source) => extendedCard.read(value ?? {}, path, source),
      write: extendedCard.write,
    },
  },
  results: {
    SendMessage: sendResult,
    GetTask: task,
    ListTasks: struct<R.ListResult>(
      {
        tasks: required(list(task), { mend: () => [] }),
        nextPageToken: required(text, { mend: () => '' }),
        // An agent whose serialiser leaves out zeros means zero.
        pageSize: required(integer(0), { mend: () => 0 }),
        totalSize: required(integer(0), { mend: () => 0 }),
      },
      PROTO,
    ),
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
  },
  shared: new Set(),
  task,
});
