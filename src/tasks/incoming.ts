import {
  type Artifact,
  isTerminal,
  type JsonObject,
  type Message,
  type StreamEvent,
  type Task,
  type TaskStatus,
} from '../protocol/a2a/model.ts';
import type { TaskFold } from './fold.ts';
import type { Entry } from './model.ts';
import { nextState } from './states.ts';

/** What an event of an agent means for our task. */
export interface Incoming {
  readonly entries: readonly Entry[];
  readonly upstreamTaskId?: string;
  readonly upstreamContextId?: string;
  readonly metadata?: JsonObject;
}

/** Without the agent's ids: ours are put in when it is read. */
function ours(message: Message): Message {
  const { taskId: _, contextId: __, ...rest } = message;
  return rest;
}

/** The status that our task takes from a report; undefined when the state machine refuses it. */
function ourStatus(reported: TaskStatus, fold: TaskFold): TaskStatus | undefined {
  const state = nextState(fold.state, reported.state);
  if (state === undefined) return undefined;
  // The time is our clock's, given when it is logged.
  const { timestamp: _, message, ...rest } = reported;
  return { ...rest, state, ...(message === undefined ? {} : { message: ours(message) }) };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Only what is new: snapshots come again with every question. */
function fromSnapshot(task: Task, fold: TaskFold): Entry[] {
  if (isTerminal(fold.state)) return [];
  const entries: Entry[] = [];
  for (const message of task.history ?? []) {
    // The client's own messages are in the log since they were sent; the agent's status message becomes one below.
    if (message.role === 'user' || fold.knows(message.messageId)) continue;
    if (message.messageId === task.status.message?.messageId) continue;
    entries.push({ kind: 'message', message: ours(message) });
  }
  // An id that is there twice means its last artifact: the first would come back with every question.
  for (const artifact of new Map((task.artifacts ?? []).map((it) => [it.artifactId, it])).values()) {
    if (!same(comparable(fold.artifact(artifact.artifactId)), comparable(artifact)))
      entries.push({ kind: 'artifact', artifact });
  }
  const status = ourStatus(task.status, fold);
  if (status !== undefined) {
    const changed = status.state !== fold.state;
    const spoke = status.message !== undefined && !fold.knows(status.message.messageId);
    if (changed || spoke) entries.push({ kind: 'status', status });
  }
  return entries;
}

/** The order of members differs between an artifact that grew by updates and the same one in a snapshot. */
const comparable = (artifact: Artifact | undefined): unknown =>
  artifact && [artifact.artifactId, artifact.name, artifact.description, artifact.parts, artifact.metadata];

const contextOf = (contextId: string | undefined): { upstreamContextId?: string } =>
  contextId === undefined || contextId === '' ? {} : { upstreamContextId: contextId };

/**
 * Reads one event of the agent against what the task is now. After a terminal state everything is dropped.
 *
 * @param named whether the agent has said before that it has a task
 */
export function readIncoming(event: StreamEvent, fold: TaskFold, named = false): Incoming {
  if (event.task !== undefined) {
    const { id, contextId, metadata } = event.task;
    return {
      entries: fromSnapshot(event.task, fold),
      upstreamTaskId: id,
      ...contextOf(contextId),
      ...(metadata === undefined || same(metadata, fold.metadata) ? {} : { metadata }),
    };
  }
  if (event.statusUpdate !== undefined) {
    const { taskId, contextId, metadata } = event.statusUpdate;
    const status = ourStatus(event.statusUpdate.status, fold);
    const entry: Entry | undefined = status && {
      kind: 'status',
      status,
      ...(metadata === undefined ? {} : { metadata }),
    };
    return { entries: entry === undefined ? [] : [entry], upstreamTaskId: taskId, ...contextOf(contextId) };
  }
  if (event.artifactUpdate !== undefined) {
    const { taskId, contextId, ...update } = event.artifactUpdate;
    return {
      entries: isTerminal(fold.state) ? [] : [{ kind: 'artifact', ...update }],
      upstreamTaskId: taskId,
      ...contextOf(contextId),
    };
  }
  const { message } = event;
  // A task that already is one stays one: the message then is its last word.
  const isResult = !named && fold.state === 'submitted' && fold.sequence === 1;
  const status = ourStatus({ state: 'completed', message }, fold);
  if (status === undefined) return { entries: [] };
  return {
    entries: [isResult ? { kind: 'result', message: ours(message) } : { kind: 'status', status }],
    ...contextOf(message.contextId),
  };
}
