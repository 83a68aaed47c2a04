import { ArtifactIndexes } from '../artifact-indexes.ts';
import { type Codec, isObject, list, optional, required, type Source, struct, type Target } from '../codec.ts';
import { messageIdOf } from '../message-id.ts';
import {
  type Artifact,
  type ArtifactUpdate,
  closesStream,
  type Message,
  type StatusUpdate,
  type StreamEvent,
  type Task,
  type TaskStatus,
} from '../model.ts';
import { taggedPart } from '../parts.ts';
import type * as R from '../requests.ts';
import { anything, boolean, id, idOrAbsent, integer, json, plainRole, plainState, text } from '../scalars.ts';
import { makeDialect } from './dialect.ts';
import { innerPushConfig, nestedPushConfig } from './older.ts';
import { byKind, nothing, statusTime } from './shared.ts';

/**
 * A2A 0.3's JSON-RPC form, which is also 0.2's: `kind` says what an object is. Nothing distinguishes `tasks/get`,
 * `tasks/cancel` and `tasks/resubscribe` from the early era's, so that their answers carry the members of both.
 */

const part = taggedPart('kind');
const texts = list(text);
const count = integer(0);

const kind = (name: string) => (): string => name;
/** Members of the early era, in answers that its clients read too. */
const forBoth =
  <T>(value: (model: T, target: Target) => unknown) =>
  (model: T, target: Target): unknown =>
    target.superset ? value(model, target) : undefined;

const message: Codec<Message> = struct<Message>(
  {
    messageId: required(id, { mend: messageIdOf }),
    contextId: optional(idOrAbsent),
    taskId: optional(idOrAbsent),
    role: required(plainRole, { mend: () => 'agent' }),
    parts: required(list(part, 1), { mend: () => [] }),
    metadata: optional(json),
    extensions: optional(texts),
    referenceTaskIds: optional(texts),
  },
  { computed: { kind: kind('message') } },
);

const status = struct<TaskStatus>({
  state: required(plainState, { mend: () => 'unknown' }),
  message: optional(message),
  timestamp: optional(statusTime),
});

const artifactFields = {
  artifactId: required(id),
  name: optional(text),
  description: optional(text),
  parts: required(list(part, 1), { mend: () => [] }),
  metadata: optional(json),
  extensions: optional(texts),
};
const artifact = struct<Artifact>(artifactFields, {
  computed: {
    index: forBoth(({ artifactId }, { indexes }) => indexes.of(artifactId)),
    // Known, so that the early era's members in a superset answer are not taken for extensions.
    append: () => undefined,
    lastChunk: () => undefined,
  },
});

const orEmpty = (value: string | undefined): string => value ?? '';
const taskStruct = struct<Task>(
  {
    id: required(id),
    contextId: optional(idOrAbsent, { omit: () => true }),
    status: required(status),
    artifacts: optional(list(artifact)),
    history: optional(list(message)),
    metadata: optional(json),
  },
  {
    computed: {
      kind: kind('task'),
      // 0.3 requires it, even where the agent has told none.
      contextId: (task) => orEmpty(task.contextId),
      sessionId: forBoth((task) => task.contextId),
    },
  },
);
const task: Codec<Task> = {
  read: taskStruct.read,
  write(value, target) {
    if (!target.superset || value.artifacts === undefined) return taskStruct.write(value, target);
    const indexes = new ArtifactIndexes(value.artifacts.map(({ artifactId }) => artifactId));
    return taskStruct.write(value, { ...target, indexes });
  },
};

const statusUpdate = struct<StatusUpdate>(
  {
    taskId: required(id),
    contextId: optional(idOrAbsent, { omit: () => true }),
    status: required(status),
    metadata: optional(json),
  },
  {
    computed: {
      kind: kind('status-update'),
      contextId: (update) => orEmpty(update.contextId),
      // 0.3 clients stop reading at `final`, so that it is also set where the stream closes for input.
      final: (update) => closesStream(update.status.state),
      id: forBoth((update) => update.taskId),
    },
  },
);

const artifactUpdateStruct = struct<ArtifactUpdate>(
  {
    taskId: required(id),
    contextId: optional(idOrAbsent, { omit: () => true }),
    artifact: required(artifact),
    append: optional(boolean),
    lastChunk: optional(boolean),
    metadata: optional(json),
  },
  {
    computed: {
      kind: kind('artifact-update'),
      contextId: (update) => orEmpty(update.contextId),
      id: forBoth((update) => update.taskId),
    },
  },
);
const artifactUpdate: Codec<ArtifactUpdate> = {
  read: artifactUpdateStruct.read,
  write(update, target) {
    const wire = artifactUpdateStruct.write(update, target) as { artifact: object };
    if (!target.superset) return wire;
    const { append, lastChunk } = update;
    const flags = { ...(append === undefined ? {} : { append }), ...(lastChunk === undefined ? {} : { lastChunk }) };
    return { ...wire, artifact: { ...wire.artifact, ...flags } };
  },
};

interface Configuration extends Omit<R.SendConfiguration, 'returnImmediately'> {
  readonly blocking?: boolean;
}
const configurationStruct = struct<Configuration>({
  acceptedOutputModes: optional(texts),
  taskPushNotificationConfig: optional(innerPushConfig({ ids: true }), { wire: 'pushNotificationConfig' }),
  historyLength: optional(count),
  blocking: optional(boolean),
});
/**
 * `blocking` is the inverse of returnImmediately; servers differ in what its absence means, so we always say it.
 * 0.2 requires acceptedOutputModes, where an empty list stands for any.
 *
 * @param absent what a configuration without it means: in JSON-RPC to wait, in ProtoJSON, which leaves out `false`, not to
 */
export const toConfiguration = (
  inner: Codec<Configuration>,
  absent: Pick<R.SendConfiguration, 'returnImmediately'>,
): Codec<R.SendConfiguration> => ({
  read(value, path, source) {
    const { blocking, acceptedOutputModes = [], ...rest } = inner.read(value, path, source);
    const modes = acceptedOutputModes.length === 0 ? {} : { acceptedOutputModes };
    return { ...rest, ...modes, ...(blocking === undefined ? absent : { returnImmediately: !blocking }) };
  },
  write({ returnImmediately = false, acceptedOutputModes = [], ...rest }, target) {
    return inner.write({ ...rest, acceptedOutputModes, blocking: !returnImmediately }, target);
  },
});

const send = struct<R.SendRequest>({
  tenant: null,
  message: required(message),
  configuration: optional(toConfiguration(configurationStruct, {})),
  metadata: optional(json),
  clientIds: null,
});

const results = { task, message };
const events = { ...results, 'status-update': statusUpdate, 'artifact-update': artifactUpdate };
const sendResult = byKind<R.ResultOf['SendMessage']>(results);
const streamEvent = byKind<StreamEvent>(events);

const metadata = optional(json);
const taskId = required(id, { wire: 'id' });
const configId = { wire: 'pushNotificationConfigId' };
const query = struct<R.GetRequest>({ tenant: null, id: required(id), historyLength: optional(count), metadata });
const pushConfig = nestedPushConfig('taskId', true);

const pushList: Codec<R.PushListResult> = {
  read: (value, path, source) => ({ configs: list(pushConfig).read(value, path, source), nextPageToken: '' }),
  write: ({ configs }, target) => list(pushConfig).write(configs, target),
};

export const v03 = makeDialect({
  name: '0.3',
  clientChosenIds: false,
  webhook: { body: 'task', contentType: 'application/json' },
  unnamedPushConfig: 'task',
  requests: {
    SendMessage: send,
    SendStreamingMessage: send,
    GetTask: query,
    ListTasks: null,
    CancelTask: struct<R.CancelRequest>({ tenant: null, id: required(id), metadata }),
    SubscribeToTask: query,
    CreateTaskPushNotificationConfig: nestedPushConfig<R.PushCreateRequest>('taskId', true),
    GetTaskPushNotificationConfig: struct<R.PushGetRequest>({
      tenant: null,
      taskId,
      id: optional(idOrAbsent, configId),
      metadata,
    }),
    ListTaskPushNotificationConfigs: struct<R.PushListRequest>({
      tenant: null,
      taskId,
      pageSize: null,
      pageToken: null,
      metadata,
    }),
    DeleteTaskPushNotificationConfig: struct<R.PushDeleteRequest>({
      tenant: null,
      taskId,
      id: required(id, configId),
      metadata,
    }),
    GetExtendedAgentCard: { read: () => ({}), write: () => undefined },
  },
  results: {
    SendMessage: sendResult,
    GetTask: task,
    ListTasks: null,
    CancelTask: task,
    CreateTaskPushNotificationConfig: pushConfig,
    GetTaskPushNotificationConfig: pushConfig,
    ListTaskPushNotificationConfigs: pushList,
    DeleteTaskPushNotificationConfig: nothing,
    GetExtendedAgentCard: anything,
  },
  event: {
    knows: streamEvent.knows,
    read: (value: unknown, path: string, source: Source) => streamEvent.read(value, path, source),
    write: (event, target) => [streamEvent.write(event, target)],
    final: (wire) => (isObject(wire) && typeof wire.final === 'boolean' ? wire.final : undefined),
  },
  shared: new Set<R.Operation>(['GetTask', 'CancelTask', 'SubscribeToTask']),
  task,
});
