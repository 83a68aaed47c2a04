import { randomUUID } from 'node:crypto';
import { decodeEvents } from '../../../src/protocol/sse.ts';
import { taggedPart } from '../parts.ts';
import type { ClientKind, EventView, Hook, MatrixClient, SendOptions } from './client.ts';
import { plainTask } from './plain-views.ts';

/** An event of the early era: a state or an artifact, under the task's `id`. */
function eventView(value: unknown): EventView {
  const event = value as {
    readonly id: string;
    readonly status?: { readonly state: string; readonly message?: never };
    readonly final?: boolean;
    readonly artifact?: {
      readonly index?: number;
      readonly parts: readonly { readonly text?: string }[];
      readonly append?: boolean;
      readonly lastChunk?: boolean;
    };
  };
  const { id: taskId, status, final, artifact } = event;
  if (artifact !== undefined) {
    const { index = 0, parts, append = false, lastChunk: last = false } = artifact;
    const text = parts.map((part) => part.text ?? '').join('');
    return { kind: 'artifact', taskId, contextId: undefined, artifact: String(index), text, append, last };
  }
  if (status === undefined) throw new Error(`What is this? ${JSON.stringify(event)}`);
  const { state, said } = plainTask({ id: taskId, status });
  return { kind: 'status', taskId, contextId: undefined, state, said, final };
}

/** The params of tasks/send: the client names the task and its session. */
const sendParams = (text: string, { extras = [], follows, hook }: SendOptions) => ({
  id: follows?.id ?? `task-${randomUUID()}`,
  sessionId: follows?.contextId ?? `session-${randomUUID()}`,
  message: { role: 'user', parts: [{ type: 'text', text }, ...extras.map((extra) => taggedPart('type', extra))] },
  ...(hook === undefined ? {} : { pushNotification: configOf(hook) }),
});

const configOf = ({ url, token, credentials }: Hook) => ({
  url,
  token,
  authentication: { schemes: ['Bearer'], credentials },
});

/** How a method is called: by a request to the card's url, or by a path of its own. */
interface Door {
  call(method: string, params: object): { readonly url: string; readonly body: object };
  result(body: Record<string, unknown>): unknown;
}

let requests = 0;

/** JSON-RPC at the url of the card, as the era had it. */
const rpcDoor = (url: string): Door => ({
  call: (method, params) => ({ url, body: { jsonrpc: '2.0', id: ++requests, method, params } }),
  result(body) {
    if (body['jsonrpc'] !== '2.0' || !('result' in body)) throw new Error(`No result: ${JSON.stringify(body)}`);
    return body['result'];
  },
});

/** A path for every method, and bare params. */
const shimDoor = (url: string): Door => ({
  call: (method, params) => ({ url: `${url.replace(/\/$/, '')}/${method}`, body: params }),
  result: (body) => body,
});

function clientOver(door: Door): MatrixClient {
  const post = async (method: string, params: object): Promise<Response> => {
    const { url, body } = door.call(method, params);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
    return response;
  };
  const ask = async (method: string, params: object): Promise<unknown> =>
    door.result((await (await post(method, params)).json()) as Record<string, unknown>);
  async function* watch(method: string, params: object): AsyncGenerator<EventView> {
    const response = await post(method, params);
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      throw new Error(`No stream: ${await response.text()}`);
    }
    for await (const { data } of decodeEvents(response.body as unknown as AsyncIterable<Uint8Array>)) {
      yield eventView(door.result(JSON.parse(data)));
    }
  }
  return {
    send: async (text, options) => plainTask(await ask('tasks/send', sendParams(text, options))),
    stream: (text, options) => watch('tasks/sendSubscribe', sendParams(text, options)),
    get: async (id) => plainTask(await ask('tasks/get', { id })),
    cancel: async (id) => plainTask(await ask('tasks/cancel', { id })),
    resubscribe: (id) => watch('tasks/resubscribe', { id }),
    async push(id, hook) {
      await ask('tasks/pushNotification/set', { id, pushNotificationConfig: configOf(hook) });
      const read = (await ask('tasks/pushNotification/get', { id })) as {
        readonly pushNotificationConfig: { readonly url: string };
      };
      return read.pushNotificationConfig.url;
    },
  };
}

const kind = (name: string, door: (url: string) => Door, more: Partial<ClientKind> = {}): ClientKind => ({
  name,
  messageIds: false,
  choosesIds: true,
  begins: 'status',
  finals: true,
  appends: true,
  names: true,
  delivery: (body) => ({ kind: 'task', task: plainTask(body) }),
  webhook: 'early',
  schema: 'early',
  async connect(base) {
    const card = (await (await fetch(new URL('.well-known/agent.json', base))).json()) as { readonly url: string };
    return { ...clientOver(door(card.url)), resubscribe: clientOver(rpcDoor(card.url)).resubscribe };
  },
  ...more,
});

export const early = [
  kind('early JSON-RPC', rpcDoor),
  // There is no path for resubscribing: that is said in JSON-RPC.
  kind('early REST shims', shimDoor, { elsewhere: ['resubscribe'] }),
];
