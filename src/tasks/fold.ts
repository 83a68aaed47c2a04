import type {
  Artifact,
  JsonObject,
  Message,
  Part,
  StreamEvent,
  Task,
  TaskState,
  TaskStatus,
} from '../protocol/a2a/model.ts';
import type { Entry, LoggedEntry, TaskRow } from './model.ts';

interface GrowingArtifact {
  head: Artifact;
  /** Grows in place: a copy per chunk would cost the square of their number. */
  parts: Part[];
}

/** What identifies a task in everything that is said about it. */
export type TaskIds = Pick<TaskRow, 'id' | 'contextId'>;

const withIds = (message: Message, ids: TaskIds): Message => ({ ...message, taskId: ids.id, contextId: ids.contextId });

/** A task, made from its log one entry after the other. */
export class TaskFold {
  readonly ids: TaskIds;
  sequence = 0;
  status: TaskStatus = { state: 'submitted' };
  metadata: JsonObject | null = null;
  resultKind: TaskRow['resultKind'] = 'task';
  readonly #artifacts = new Map<string, GrowingArtifact>();
  readonly #history: Message[] = [];
  readonly #known = new Set<string>();

  constructor(ids: TaskIds) {
    this.ids = ids;
  }

  get state(): TaskState {
    return this.status.state;
  }

  /** Whether a message of this id is in the history, or is the present status message. */
  knows(messageId: string): boolean {
    return this.#known.has(messageId) || this.status.message?.messageId === messageId;
  }

  /** The artifact as it is now; its parts are ours and change. */
  artifact(artifactId: string): Artifact | undefined {
    const found = this.#artifacts.get(artifactId);
    return found && { ...found.head, parts: found.parts };
  }

  apply({ sequence, at, entry }: LoggedEntry): void {
    this.sequence = sequence;
    APPLY[entry.kind](this, entry as never, at);
  }

  remember(message: Message): void {
    if (this.#known.has(message.messageId)) return;
    this.#known.add(message.messageId);
    this.#history.push(withIds(message, this.ids));
  }

  /** A status takes the place of the last one, whose message then is history. */
  moveTo(status: TaskStatus): void {
    const before = this.status.message;
    this.status = status;
    if (before !== undefined && before.messageId !== status.message?.messageId) this.remember(before);
  }

  keep(artifact: Artifact, append: boolean): void {
    const present = this.#artifacts.get(artifact.artifactId);
    if (!append || present === undefined) {
      this.#artifacts.set(artifact.artifactId, { head: artifact, parts: [...artifact.parts] });
      return;
    }
    for (const part of artifact.parts) present.parts.push(part);
    const { parts: _, ...head } = artifact;
    present.head = { ...present.head, ...head };
  }

  /** Begins again from what a log was folded into. */
  restore({ status, history = [], artifacts = [], metadata }: Task, resultKind: TaskRow['resultKind']): void {
    this.#history.length = 0;
    this.#known.clear();
    this.#artifacts.clear();
    this.status = status;
    this.resultKind = resultKind;
    this.metadata = metadata ?? null;
    for (const message of history) this.remember(message);
    for (const artifact of artifacts) this.keep(artifact, false);
  }

  /** @param historyLength the most recent messages to include; all of them when undefined. */
  snapshot(historyLength?: number): Task {
    const { message, ...status } = this.status;
    const history = historyLength === undefined ? [...this.#history] : lastOf(this.#history, historyLength);
    return {
      id: this.ids.id,
      contextId: this.ids.contextId,
      status: message === undefined ? status : { ...status, message: withIds(message, this.ids) },
      ...(this.#artifacts.size === 0
        ? {}
        : { artifacts: [...this.#artifacts.values()].map(({ head, parts }) => ({ ...head, parts: [...parts] })) }),
      ...(history.length === 0 ? {} : { history }),
      ...(this.metadata === null ? {} : { metadata: this.metadata }),
    };
  }
}

/** A task with its most recent messages; all of them when `historyLength` is undefined. */
export function withHistory(task: Task, historyLength: number | undefined): Task {
  if (historyLength === undefined || task.history === undefined) return task;
  const { history, ...rest } = task;
  const last = lastOf(history, historyLength);
  return last.length === 0 ? rest : { ...rest, history: last };
}

const lastOf = <T>(list: readonly T[], n: number): T[] => (n <= 0 ? [] : list.slice(-n));

type Apply = { readonly [K in Entry['kind']]: (fold: TaskFold, entry: Extract<Entry, { kind: K }>, at: Date) => void };

const APPLY: Apply = {
  created(fold, { message }, at) {
    fold.status = { state: 'submitted', timestamp: at.toISOString() };
    fold.remember(message);
  },
  message: (fold, { message }) => fold.remember(message),
  status: (fold, { status }, at) => fold.moveTo({ ...status, timestamp: at.toISOString() }),
  artifact: (fold, { artifact, append }) => fold.keep(artifact, append === true),
  result(fold, { message }, at) {
    fold.resultKind = 'message';
    fold.moveTo({ state: 'completed', message, timestamp: at.toISOString() });
  },
  snapshot: (fold, { task, resultKind }) => fold.restore(task, resultKind),
};

/** A log entry as an event of the model, with the ids of its task. */
export function eventOf(logged: LoggedEntry, ids: TaskIds): StreamEvent {
  const { entry, at } = logged;
  const of = { taskId: ids.id, contextId: ids.contextId };
  switch (entry.kind) {
    case 'created':
      return {
        task: {
          id: ids.id,
          contextId: ids.contextId,
          status: { state: 'submitted', timestamp: at.toISOString() },
          history: [withIds(entry.message, ids)],
        },
      };
    case 'message':
    case 'result':
      return { message: withIds(entry.message, ids) };
    case 'status': {
      const { message, ...status } = entry.status;
      return {
        statusUpdate: {
          ...of,
          status: {
            ...status,
            ...(message === undefined ? {} : { message: withIds(message, ids) }),
            timestamp: at.toISOString(),
          },
          ...(entry.metadata === undefined ? {} : { metadata: entry.metadata }),
        },
      };
    }
    case 'artifact': {
      const { kind: _, ...update } = entry;
      return { artifactUpdate: { ...of, ...update } };
    }
    case 'snapshot': {
      const fold = new TaskFold(ids);
      fold.apply(logged);
      return { task: fold.snapshot() };
    }
  }
}

/** The state that an entry puts its task in; undefined when it does not touch it. */
export function stateAfter(entry: Entry): TaskState | undefined {
  if (entry.kind === 'created') return 'submitted';
  if (entry.kind === 'result') return 'completed';
  if (entry.kind === 'snapshot') return entry.task.status.state;
  return entry.kind === 'status' ? entry.status.state : undefined;
}
