import { artifactIdOf } from '../artifact-indexes.ts';
import {
  type Codec,
  isObject,
  list,
  objectAt,
  optional,
  required,
  type Source,
  struct,
  type Target,
  type WireObject,
} from '../codec.ts';
import { messageIdOf } from '../message-id.ts';
import {
  type Artifact,
  type ArtifactUpdate,
  isInterrupted,
  isTerminal,
  type JsonObject,
  type Message,
  type StatusUpdate,
  type StreamEvent,
  type Task,
  type TaskStatus,
} from '../model.ts';
import { taggedPart } from '../parts.ts';
import { boolean, earlyState, id, idOrAbsent, integer, json, plainRole, text } from '../scalars.ts';
import { statusTime } from './shared.ts';

/** The objects of the early era: clients choose task ids and sessions, messages have no ids, artifacts are numbered. */

const part = taggedPart('type');
const count = integer(0);

/** Members of 0.3, in answers that its clients read too. */
const forBoth =
  <T>(value: (model: T, target: Target) => unknown) =>
  (model: T, target: Target): unknown =>
    target.superset ? value(model, target) : undefined;

export const message: Codec<Message> = struct<Message>(
  {
    messageId: required(id, { mend: messageIdOf, omit: () => true }),
    // Ids inside messages are ours or the agent's, and mean nothing to a client that chose its own.
    contextId: null,
    taskId: null,
    role: required(plainRole, { mend: () => 'agent' }),
    parts: required(list(part, 1), { mend: () => [] }),
    metadata: optional(json),
    extensions: null,
    referenceTaskIds: null,
  },
  { computed: { kind: forBoth(() => 'message'), messageId: forBoth(({ messageId }) => messageId) } },
);

const status = struct<TaskStatus>({
  state: required(earlyState, { mend: () => 'unknown' }),
  message: optional(message),
  timestamp: optional(statusTime),
});

/** An artifact as it is on the wire: the flags of a chunk are its own members. */
interface NumberedArtifact extends Omit<Artifact, 'artifactId' | 'extensions'> {
  readonly index?: number;
  readonly append?: boolean;
  readonly lastChunk?: boolean;
}
const numbered = struct<NumberedArtifact>(
  {
    index: optional(count),
    name: optional(text),
    description: optional(text),
    parts: required(list(part, 1), { mend: () => [] }),
    append: optional(boolean),
    lastChunk: optional(boolean),
    metadata: optional(json),
  },
  // Known, so that 0.3's members in a superset answer are not taken for extensions.
  { computed: { artifactId: () => undefined, extensions: () => undefined } },
);

function writeArtifact(
  { artifactId, extensions: _, ...rest }: Artifact,
  target: Target,
  flags: { append?: boolean; lastChunk?: boolean } = {},
): object {
  const wire = numbered.write({ ...rest, ...flags, index: target.indexes.of(artifactId) }, target) as object;
  return target.superset ? { ...wire, artifactId } : wire;
}

const artifacts: Codec<readonly Artifact[]> = {
  read(value, path, source) {
    const read = list(numbered).read(value, path, source);
    const indexes = read.map(({ index = 0 }) => index);
    // Agents that never set an index would pile everything up under 0: then the position counts.
    const distinct = new Set(indexes).size === indexes.length;
    return read.map(({ index = 0, append: _, lastChunk: __, ...rest }, position) => ({
      ...rest,
      artifactId: artifactIdOf(distinct ? index : position),
    }));
  },
  write: (values, target) => values.map((artifact) => writeArtifact(artifact, target)),
};

/** Messages have no ids: equal ones in one history are told apart by their order. */
const history: Codec<readonly Message[]> = {
  read(value, path, source) {
    const seen = new Map<string, number>();
    return list(message)
      .read(value, path, source)
      .map((entry) => {
        const times = (seen.get(entry.messageId) ?? 0) + 1;
        seen.set(entry.messageId, times);
        return times === 1 ? entry : { ...entry, messageId: `${entry.messageId}-${times}` };
      });
  },
  write: list(message).write,
};

const idOf = ({ id: own }: Task, { taskId }: Target): string => taskId ?? own;
const sessionOf = (model: { readonly contextId?: string }, { contextId }: Target): string | undefined =>
  contextId ?? model.contextId;

const taskStruct = struct<Task>(
  {
    id: required(id, { omit: () => true }),
    contextId: optional(idOrAbsent, { wire: 'sessionId', omit: () => true }),
    status: required(status),
    artifacts: optional(artifacts),
    history: optional(history),
    metadata: optional(json),
  },
  {
    computed: {
      id: idOf,
      sessionId: sessionOf,
      kind: forBoth(() => 'task'),
      contextId: forBoth((task, target) => sessionOf(task, target) ?? ''),
    },
  },
);
export const task: Codec<Task> = {
  read: taskStruct.read,
  write(value, target) {
    const known = value.artifacts?.map(({ artifactId }) => artifactId) ?? [];
    for (const artifactId of known) target.indexes.of(artifactId);
    return taskStruct.write(value, target);
  },
};

const taskIdOf = ({ taskId: own }: { readonly taskId: string }, { taskId }: Target): string => taskId ?? own;
const statusUpdate = struct<StatusUpdate>(
  {
    taskId: required(id, { wire: 'id', omit: () => true }),
    contextId: null,
    status: required(status),
    metadata: optional(json),
  },
  {
    computed: {
      id: taskIdOf,
      // Early clients know auth-required as input-required, and stop reading there.
      final: ({ status: { state } }) => isTerminal(state) || isInterrupted(state),
      kind: forBoth(() => 'status-update'),
      taskId: forBoth(taskIdOf),
      contextId: forBoth((update, target) => sessionOf(update, target) ?? ''),
    },
  },
);

interface ArtifactEvent {
  readonly taskId: string;
  readonly artifact: NumberedArtifact;
  readonly metadata?: JsonObject;
}
const artifactEvent = struct<ArtifactEvent>(
  { taskId: required(id, { wire: 'id' }), artifact: required(numbered), metadata: optional(json) },
  {
    computed: Object.fromEntries(
      ['kind', 'taskId', 'contextId', 'append', 'lastChunk'].map((n) => [n, () => undefined]),
    ),
  },
);

const artifactUpdate: Codec<ArtifactUpdate> = {
  read(value, path, source) {
    const { artifact, ...rest } = artifactEvent.read(value, path, source);
    const { index = 0, append, lastChunk, ...content } = artifact;
    return {
      ...rest,
      artifact: { ...content, artifactId: artifactIdOf(index) },
      ...(append === undefined ? {} : { append }),
      ...(lastChunk === undefined ? {} : { lastChunk }),
    };
  },
  write(update, target) {
    const { taskId: _, contextId: __, artifact, append, lastChunk, ...rest } = update;
    const flags = { ...(append === undefined ? {} : { append }), ...(lastChunk === undefined ? {} : { lastChunk }) };
    const taskId = taskIdOf(update, target);
    const out = { ...rest, id: taskId, artifact: writeArtifact(artifact, target, flags) };
    if (!target.superset) return out;
    return { ...out, kind: 'artifact-update', taskId, contextId: sessionOf(update, target) ?? '', ...flags };
  },
};

/** An early client knows no message as an answer: it gets a completed task that says it. */
export const completedBy = (
  answer: Message,
  { taskId = answer.taskId, contextId = answer.contextId }: Target,
): Task => ({
  id: taskId ?? answer.messageId,
  ...(contextId === undefined ? {} : { contextId }),
  status: { state: 'completed', message: answer },
});

const asStatus = ({ id: taskId, contextId, status: now, metadata }: Task): StatusUpdate => ({
  taskId,
  ...(contextId === undefined ? {} : { contextId }),
  status: now,
  ...(metadata === undefined ? {} : { metadata }),
});

export const event = {
  knows: (wire: WireObject): boolean => ['status', 'artifact', 'artifacts', 'history'].some((name) => name in wire),
  read(value: unknown, path: string, source: Source): StreamEvent {
    const wire = objectAt(value, path);
    if ('artifact' in wire) return { artifactUpdate: artifactUpdate.read(wire, path, source) };
    // Not in the early schema, but some agents send the whole task first, as later versions do.
    if ('artifacts' in wire || 'history' in wire) return { task: task.read(wire, path, source) };
    return { statusUpdate: statusUpdate.read(wire, path, source) };
  },
  write(model: StreamEvent, target: Target): readonly unknown[] {
    if (model.artifactUpdate !== undefined) return [artifactUpdate.write(model.artifactUpdate, target)];
    if (model.statusUpdate !== undefined) return [statusUpdate.write(model.statusUpdate, target)];
    const whole = model.task ?? completedBy(model.message, target);
    const chunks = (whole.artifacts ?? []).map((artifact) =>
      artifactUpdate.write({ taskId: whole.id, artifact, append: false, lastChunk: true }, target),
    );
    return [...chunks, statusUpdate.write(asStatus(whole), target)];
  },
  final: (wire: unknown): boolean | undefined =>
    isObject(wire) && typeof wire.final === 'boolean' ? wire.final : undefined,
};
