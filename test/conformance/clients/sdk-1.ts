import { Message, SendMessageRequest, StreamResponse, Task, TaskPushNotificationConfig } from '@a2a-js/sdk';
import { clientFor, type ClientKind as SdkKind } from '../../a2a/support.ts';
import { extras1, part1 } from '../parts.ts';
import type { ClientKind, EventView, Hook, SendOptions, TaskView } from './client.ts';
import { plainEvent } from './plain-views.ts';

/** The JSON of 1.0, which the SDK's own writer makes of its objects. */
interface Parts {
  readonly parts?: readonly { readonly text?: string }[];
}
interface Status {
  readonly state: string;
  readonly message?: Parts;
}
interface WireTask {
  readonly id: string;
  readonly contextId?: string;
  readonly status: Status;
  readonly artifacts?: readonly Parts[];
  readonly history?: readonly (Parts & { readonly role: string })[];
}
interface WireEvent {
  readonly task?: WireTask;
  readonly statusUpdate?: { readonly taskId: string; readonly contextId?: string; readonly status: Status };
  readonly artifactUpdate?: {
    readonly taskId: string;
    readonly contextId?: string;
    readonly artifact: Parts & { readonly artifactId: string };
    readonly append?: boolean;
    readonly lastChunk?: boolean;
  };
}

const textOf = ({ parts = [] }: Parts): string => parts.map(({ text = '' }) => text).join('');
const saidOf = ({ message }: Status): string | undefined => (message === undefined ? undefined : textOf(message));
/** `TASK_STATE_INPUT_REQUIRED` is `input-required`. */
const word = (name: string): string =>
  name
    .replace(/^(TASK_STATE|ROLE)_/, '')
    .toLowerCase()
    .replaceAll('_', '-');

function taskView({ id, contextId, status, artifacts = [], history = [] }: WireTask): TaskView {
  return {
    id,
    contextId,
    state: word(status.state),
    said: saidOf(status),
    artifacts: artifacts.map(textOf),
    extras: extras1(artifacts.flatMap(({ parts = [] }) => parts)),
    history: history.map((message) => ({ role: word(message.role), text: textOf(message) })),
  };
}

/** An event in the JSON of 1.0, as a webhook gets it too. */
function eventView(value: unknown): EventView {
  const { task, statusUpdate, artifactUpdate } = value as WireEvent;
  if (task !== undefined) return { kind: 'task', task: taskView(task) };
  if (statusUpdate !== undefined) {
    const { taskId, contextId, status } = statusUpdate;
    return { kind: 'status', taskId, contextId, state: word(status.state), said: saidOf(status), final: undefined };
  }
  if (artifactUpdate === undefined) throw new Error(`What is this? ${JSON.stringify(value)}`);
  const { taskId, contextId, artifact, append = false, lastChunk = false } = artifactUpdate;
  const { artifactId } = artifact;
  return { kind: 'artifact', taskId, contextId, artifact: artifactId, text: textOf(artifact), append, last: lastChunk };
}

const taskOf = (answer: Task | Message): TaskView => {
  if ('messageId' in answer) throw new Error(`A message, not a task: ${JSON.stringify(Message.toJSON(answer))}`);
  return taskView(Task.toJSON(answer) as WireTask);
};

async function* eventsOf(events: AsyncIterable<StreamResponse>): AsyncGenerator<EventView> {
  for await (const event of events) yield eventView(StreamResponse.toJSON(event));
}

const pushOf = ({ url, token, credentials }: Hook) => ({
  url,
  token,
  authentication: { scheme: 'Bearer', credentials },
});

const requestOf = (text: string, { messageId, extras = [], follows, hook }: SendOptions): SendMessageRequest =>
  SendMessageRequest.fromJSON({
    message: {
      messageId,
      role: 'ROLE_USER',
      parts: [{ text }, ...extras.map(part1)],
      ...(follows === undefined ? {} : { taskId: follows.id, contextId: follows.contextId }),
    },
    configuration: hook === undefined ? {} : { taskPushNotificationConfig: pushOf(hook) },
  });

const kind = (name: string, sdk: SdkKind, traits: Partial<ClientKind> = {}): ClientKind => ({
  name,
  messageIds: true,
  choosesIds: false,
  begins: 'task',
  finals: false,
  appends: true,
  names: true,
  delivery: eventView,
  webhook: '1.0',
  schema: sdk.version === '0.3' && sdk.binding === 'JSONRPC' ? '0.3' : undefined,
  async connect(base) {
    const client = await clientFor(base, sdk);
    return {
      send: async (text, options) => taskOf(await client.sendMessage(requestOf(text, options))),
      stream: (text, options) => eventsOf(client.sendMessageStream(requestOf(text, options))),
      get: async (id) => taskOf(await client.getTask({ tenant: '', id, historyLength: undefined })),
      cancel: async (id) => taskOf(await client.cancelTask({ tenant: '', id, metadata: undefined })),
      resubscribe: (id) => eventsOf(client.resubscribeTask({ tenant: '', id })),
      async push(taskId, hook) {
        const config = TaskPushNotificationConfig.fromJSON({ taskId, id: 'mine', ...pushOf(hook) });
        await client.createTaskPushNotificationConfig(config);
        return (await client.getTaskPushNotificationConfig({ tenant: '', taskId, id: 'mine' })).url;
      },
    };
  },
  ...traits,
});

/** Webhooks that were registered over 0.3 get what 0.3 says. */
const older = { delivery: plainEvent, webhook: '0.3' } as const;

export const sdk1 = [
  kind('SDK 1.3.0 JSON-RPC', { binding: 'JSONRPC', version: '1.0' }),
  kind('SDK 1.3.0 REST', { binding: 'HTTP+JSON', version: '1.0' }),
  kind('SDK 1.3.0 gRPC', { binding: 'GRPC', version: '1.0' }),
  kind('SDK 1.3.0 as 0.3 JSON-RPC', { binding: 'JSONRPC', version: '0.3' }, older),
  // It drops `append` when it reads this form, in which files have no names.
  kind('SDK 1.3.0 as 0.3 REST', { binding: 'HTTP+JSON', version: '0.3' }, { ...older, appends: false, names: false }),
];
