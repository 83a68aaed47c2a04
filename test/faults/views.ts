import type { Seen } from './journal.ts';

type Json = Record<string, any>;

const stateIn = (state: string): string =>
  state
    .replace(/^TASK_STATE_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
const textIn = (artifact: Json | undefined): string =>
  ((artifact?.['parts'] ?? []) as Json[]).map(({ text }) => text as string).join('');
const snapshot = (task: Json): Seen => ({
  kind: 'snapshot',
  state: stateIn(task['status'].state),
  text: ((task['artifacts'] ?? []) as Json[]).map(textIn).join(''),
});

/** An event of a 1.0 stream. */
export function seenInV1({ task, statusUpdate, artifactUpdate }: Json): Seen {
  if (task !== undefined) return snapshot(task);
  if (statusUpdate !== undefined) return { kind: 'status', state: stateIn(statusUpdate.status.state) };
  if (artifactUpdate === undefined) return { kind: 'message' };
  return { kind: 'artifact', text: textIn(artifactUpdate.artifact), append: artifactUpdate.append === true };
}

/** An event of a 0.3 stream. */
export function seenInV03(event: Json): Seen {
  switch (event['kind']) {
    case 'task':
      return snapshot(event);
    case 'status-update':
      return { kind: 'status', state: stateIn(event['status'].state) };
    case 'artifact-update':
      return { kind: 'artifact', text: textIn(event['artifact']), append: event['append'] === true };
    default:
      return { kind: 'message' };
  }
}

/**
 * An event of a 0.3 stream without the members of the early era: nothing tells the two eras' resubscriptions apart, so
 * answers to them carry both, while a 0.3 send is answered in 0.3 alone.
 */
export function plainV03(event: Json): Json {
  if (event['kind'] !== 'artifact-update' && event['kind'] !== 'status-update') return event;
  const { id: _, ...rest } = event;
  if (rest['artifact'] !== undefined) {
    const { index: __, append: ___, lastChunk: ____, ...artifact } = rest['artifact'];
    return { ...rest, artifact: plainParts(artifact) };
  }
  // Recovery ends a task with a message, and a client that says its message again hears of it as an answer to a send.
  const { message, ...status } = rest['status'];
  return message === undefined ? rest : { ...rest, status: { ...status, message: plainParts(message) } };
}

const plainParts = (holder: Json): Json => ({
  ...holder,
  parts: (holder['parts'] as Json[]).map(({ type: _, ...part }) => part),
});

/** A task event of the graph, with the fields of {@link TASK_EVENT_FIELDS}. */
export function seenInGraph(event: Json): Seen {
  const state = stateIn(event['state']);
  if (event['kind'] === 'ARTIFACT')
    return { kind: 'artifact', text: textIn(event['artifact']), append: event['append'] };
  return { kind: event['kind'] === 'MESSAGE' ? 'message' : 'status', state };
}

export const TASK_EVENT_FIELDS =
  'taskId sequence kind state at append reset message { messageId role parts { text } } artifact { artifactId name parts { text } }';
