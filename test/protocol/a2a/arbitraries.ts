import fc from 'fast-check';
import type {
  Artifact,
  ArtifactUpdate,
  JsonObject,
  Message,
  Part,
  PushConfig,
  SendResult,
  StatusUpdate,
  StreamEvent,
  Task,
  TaskStatus,
} from '../../../src/protocol/a2a/model.ts';
import { TASK_STATES } from '../../../src/protocol/a2a/model.ts';
import type { SendConfiguration, SendRequest } from '../../../src/protocol/a2a/requests.ts';

/** Arbitrary values of the A2A model, for property tests of every room that handles it. */

/** Removes members whose value is undefined, as JSON has none. */
const defined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T;

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const record = <T>(model: { [K in keyof T]-?: fc.Arbitrary<T[K] | undefined> }): fc.Arbitrary<T> =>
  fc.record(model as Record<string, fc.Arbitrary<unknown>>).map((value) => defined(value) as T);

export const id = fc.oneof(fc.uuid(), fc.string({ minLength: 1, maxLength: 40 }));
export const words = fc.string({ unit: 'grapheme', maxLength: 60 });
const mediaType = fc.constantFrom('text/plain', 'application/json', 'image/png');

/** JSON objects without the one key that marks wrapped data parts, and without `__proto__`, which JSON copies lose. */
export const metadata: fc.Arbitrary<JsonObject> = fc.dictionary(
  fc.string({ maxLength: 12 }).filter((key) => key !== 'data_part_compat' && key !== '__proto__'),
  fc.jsonValue({ maxDepth: 2 }),
  // Empty metadata is as good as none, and a dialect that has to add to it cannot tell.
  { minKeys: 1, maxKeys: 3 },
);

const base64 = fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const common = { metadata: maybe(metadata), filename: maybe(words), mediaType: maybe(mediaType) };

export const part: fc.Arbitrary<Part> = fc
  .oneof(
    fc.record({ ...common, text: words }),
    fc.record({ ...common, raw: base64 }),
    fc.record({ ...common, url: fc.webUrl() }),
    fc.record({ ...common, data: fc.jsonValue({ maxDepth: 3 }) }),
  )
  .map((value) => defined(value) as Part);

/** `role` left open: what clients send and what agents answer look the same. */
export const message: fc.Arbitrary<Message> = record<Message>({
  messageId: id,
  contextId: maybe(id),
  taskId: maybe(id),
  role: fc.constantFrom('user', 'agent'),
  parts: fc.array(part, { minLength: 1, maxLength: 3 }),
  metadata: maybe(metadata),
  extensions: maybe(fc.array(fc.webUrl(), { minLength: 1, maxLength: 2 })),
  referenceTaskIds: maybe(fc.array(id, { minLength: 1, maxLength: 2 })),
});

/** A moment in UTC milliseconds. */
export const timestamp = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

export const state = fc.constantFrom(...TASK_STATES);

export const status: fc.Arbitrary<TaskStatus> = record<TaskStatus>({
  state,
  message: maybe(message),
  timestamp: maybe(timestamp),
});

export const artifact: fc.Arbitrary<Artifact> = record<Artifact>({
  artifactId: id,
  name: maybe(words),
  description: maybe(words),
  parts: fc.array(part, { minLength: 1, maxLength: 3 }),
  metadata: maybe(metadata),
  extensions: maybe(fc.array(fc.webUrl(), { minLength: 1, maxLength: 2 })),
});

export const task: fc.Arbitrary<Task> = record<Task>({
  id,
  contextId: id,
  status,
  artifacts: maybe(fc.uniqueArray(artifact, { minLength: 1, maxLength: 3, selector: (value) => value.artifactId })),
  history: maybe(fc.array(message, { minLength: 1, maxLength: 3 })),
  metadata: maybe(metadata),
});

export const statusUpdate: fc.Arbitrary<StatusUpdate> = record<StatusUpdate>({
  taskId: id,
  contextId: id,
  status,
  metadata: maybe(metadata),
});

export const artifactUpdate: fc.Arbitrary<ArtifactUpdate> = record<ArtifactUpdate>({
  taskId: id,
  contextId: id,
  artifact,
  append: maybe(fc.boolean()),
  lastChunk: maybe(fc.boolean()),
  metadata: maybe(metadata),
});

export const streamEvent: fc.Arbitrary<StreamEvent> = fc.oneof(
  task.map((value) => ({ task: value })),
  message.map((value) => ({ message: value })),
  statusUpdate.map((value) => ({ statusUpdate: value })),
  artifactUpdate.map((value) => ({ artifactUpdate: value })),
);

export const sendResult: fc.Arbitrary<SendResult> = fc.oneof(
  task.map((value) => ({ task: value })),
  message.map((value) => ({ message: value })),
);

/** A webhook of an existing task, as every dialect can say it. */
export const pushConfig: fc.Arbitrary<PushConfig & { readonly taskId: string }> = record<
  PushConfig & { readonly taskId: string }
>({
  tenant: fc.constant(undefined),
  id: maybe(id),
  taskId: id,
  url: fc.webUrl(),
  token: maybe(fc.string({ minLength: 1 })),
  authentication: maybe(
    record<{ scheme: string; credentials?: string }>({
      scheme: fc.constantFrom('Bearer', 'Basic'),
      credentials: maybe(fc.string({ minLength: 1 })),
    }),
  ),
});

export const sendRequest: fc.Arbitrary<SendRequest> = record<SendRequest>({
  tenant: fc.constant(undefined),
  message,
  configuration: maybe(
    record<SendConfiguration>({
      acceptedOutputModes: maybe(fc.array(mediaType, { minLength: 1, maxLength: 2 })),
      taskPushNotificationConfig: maybe(pushConfig.map(({ taskId: _, ...config }) => config as unknown as PushConfig)),
      historyLength: maybe(fc.nat({ max: 1000 })),
      returnImmediately: maybe(fc.boolean()),
    }),
  ),
  metadata: maybe(metadata),
  clientIds: fc.constant(undefined),
});
