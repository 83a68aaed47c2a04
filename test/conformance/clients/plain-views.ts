import { taggedExtras, taggedPart } from '../parts.ts';
import type { EventView, Hook, SendOptions, TaskView } from './client.ts';

/** The objects of 0.2 and 0.3 in JSON, and of the early era, as far as they are looked at here. */
interface Parts {
  readonly parts: readonly { readonly text?: string }[];
}
interface PlainStatus {
  readonly state: string;
  readonly message?: Parts;
}
interface PlainTask {
  readonly id: string;
  readonly contextId?: string;
  readonly sessionId?: string;
  readonly status: PlainStatus;
  readonly artifacts?: readonly Parts[];
  readonly history?: readonly (Parts & { readonly role: string })[];
}

const textOf = ({ parts }: Parts): string => parts.map(({ text = '' }) => text).join('');
const saidOf = ({ message }: PlainStatus): string | undefined => (message === undefined ? undefined : textOf(message));

export function plainTask(value: unknown): TaskView {
  const { id, contextId, sessionId, status, artifacts = [], history = [] } = value as PlainTask;
  return {
    id,
    contextId: contextId ?? sessionId,
    state: status.state,
    said: saidOf(status),
    artifacts: artifacts.map(textOf),
    extras: taggedExtras(artifacts.flatMap(({ parts }) => parts)),
    history: history.map((message) => ({ role: message.role, text: textOf(message) })),
  };
}

/** An event of 0.2 and 0.3: `kind` says what it is. */
export function plainEvent(value: unknown): EventView {
  const event = value as { readonly kind: string; readonly taskId: string; readonly contextId: string };
  const { taskId, contextId } = event;
  if (event.kind === 'task') return { kind: 'task', task: plainTask(event) };
  if (event.kind === 'status-update') {
    const { status, final } = value as { readonly status: PlainStatus; readonly final?: boolean };
    return { kind: 'status', taskId, contextId, state: status.state, said: saidOf(status), final };
  }
  if (event.kind !== 'artifact-update') throw new Error(`What is this? ${JSON.stringify(event)}`);
  const { artifact, append, lastChunk } = value as {
    readonly artifact: Parts & { readonly artifactId: string };
    readonly append?: boolean;
    readonly lastChunk?: boolean;
  };
  return {
    kind: 'artifact',
    taskId,
    contextId,
    artifact: artifact.artifactId,
    text: textOf(artifact),
    append: append ?? false,
    last: lastChunk ?? false,
  };
}

export async function* plainEvents(events: AsyncIterable<unknown>): AsyncGenerator<EventView> {
  for await (const event of events) yield plainEvent(event);
}

export const plainPush = ({ url, token, credentials }: Hook) => ({
  url,
  token,
  authentication: { schemes: ['Bearer'], credentials },
});

/** The params of message/send and message/stream. */
export const plainSend = (text: string, { messageId, extras = [], follows, hook }: SendOptions) => ({
  message: {
    kind: 'message' as const,
    messageId,
    role: 'user' as const,
    parts: [{ kind: 'text' as const, text }, ...extras.map((extra) => taggedPart('kind', extra) as never)],
    ...(follows === undefined ? {} : { taskId: follows.id, contextId: follows.contextId ?? '' }),
  },
  configuration: {
    acceptedOutputModes: ['text/plain'],
    blocking: true,
    ...(hook === undefined ? {} : { pushNotificationConfig: plainPush(hook) }),
  },
});
