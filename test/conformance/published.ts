import { oracle, type PublishedSchema } from '../support/published-schemas.ts';
import { type Exchange, valuesOf } from './recording.ts';

/** The older versions, whose messages have published schemas. */
export type Era = 'early' | '0.3';

const FILES: { readonly [E in Era]: readonly PublishedSchema[] } = {
  early: ['a2a-0.1.0.json'],
  // What 0.3 says, the clients and agents of 0.2 must understand.
  '0.3': ['a2a-0.2.5.json', 'a2a-0.3.0.json'],
};

interface Names {
  readonly request: string;
  readonly answer: string;
}
const named = (request: string, answer = request): Names => ({ request: `${request}Request`, answer });

/** What the schemas call the messages of each JSON-RPC method. */
const METHODS: { readonly [E in Era]: Readonly<Record<string, Names>> } = {
  early: {
    'tasks/send': named('SendTask', 'SendTaskResponse'),
    'tasks/sendSubscribe': named('SendTaskStreaming', 'SendTaskStreamingResponse'),
    'tasks/get': named('GetTask', 'GetTaskResponse'),
    'tasks/cancel': named('CancelTask', 'CancelTaskResponse'),
    'tasks/resubscribe': named('TaskResubscription', 'SendTaskStreamingResponse'),
    'tasks/pushNotification/set': named('SetTaskPushNotification', 'SetTaskPushNotificationResponse'),
    'tasks/pushNotification/get': named('GetTaskPushNotification', 'GetTaskPushNotificationResponse'),
  },
  '0.3': {
    'message/send': named('SendMessage', 'SendMessageSuccessResponse'),
    'message/stream': named('SendStreamingMessage', 'SendStreamingMessageSuccessResponse'),
    'tasks/get': named('GetTask', 'GetTaskSuccessResponse'),
    'tasks/cancel': named('CancelTask', 'CancelTaskSuccessResponse'),
    'tasks/resubscribe': named('TaskResubscription', 'SendStreamingMessageSuccessResponse'),
    'tasks/pushNotificationConfig/set': named(
      'SetTaskPushNotificationConfig',
      'SetTaskPushNotificationConfigSuccessResponse',
    ),
    'tasks/pushNotificationConfig/get': named(
      'GetTaskPushNotificationConfig',
      'GetTaskPushNotificationConfigSuccessResponse',
    ),
  },
};

/** The forms of a card that older clients fetch, by the end of its path. */
const CARDS: readonly { readonly path: string; readonly files: readonly PublishedSchema[] }[] = [
  { path: '/.well-known/agent.json', files: ['a2a-0.1.0.json', 'a2a-0.2.5.json'] },
  { path: '/.well-known/agent-card.json', files: ['a2a-0.3.0.json'] },
];

const methodOf = (body: unknown): string | undefined => {
  const method = (body as { method?: unknown } | undefined)?.method;
  return typeof method === 'string' ? method : undefined;
};

/** Holds what Rollcall sent against the published schemas, and counts what was held against which. */
export class Published {
  readonly checked = new Map<string, number>();
  readonly #oracles = new Map<PublishedSchema, ReturnType<typeof oracle>>();

  /** The answers to a client, and the card that it fetched. */
  answer(era: Era | undefined, exchange: Exchange): void {
    const { pathname } = new URL(exchange.url);
    const card = CARDS.find(({ path }) => pathname.endsWith(path));
    if (card !== undefined && exchange.headers.get('a2a-version') !== '1.0') {
      for (const file of card.files) this.#check(file, 'AgentCard', JSON.parse(exchange.text));
    }
    if (card !== undefined || era === undefined) return;
    const method = methodOf(exchange.request);
    // A path of its own stands for its method, and what is answered for the result of an envelope.
    const asked = method ?? Object.keys(METHODS[era]).find((name) => pathname.endsWith(`/${name}`));
    const names = METHODS[era][asked ?? ''];
    if (names === undefined) throw new Error(`No schema for ${method ?? pathname}`);
    for (const value of valuesOf(exchange)) {
      const whole = method === undefined ? { jsonrpc: '2.0', id: 1, result: value } : value;
      for (const file of FILES[era]) this.#check(file, names.answer, whole);
    }
  }

  /** A request to an agent. */
  request(era: Era, body: unknown): void {
    const names = METHODS[era][methodOf(body) ?? ''];
    if (names === undefined) throw new Error(`No schema for ${JSON.stringify(body)}`);
    for (const file of FILES[era]) this.#check(file, names.request, body);
  }

  /** What a webhook got. */
  webhook(era: Era, body: unknown): void {
    for (const file of FILES[era]) this.#check(file, 'Task', body);
  }

  /** Definitions of what goes to clients and webhooks that nothing was held against. */
  unansweredDefinitions(): string[] {
    return this.#unchecked(({ answer }) => answer, ['AgentCard', 'Task']);
  }

  /** Definitions of what goes to agents that nothing was held against. */
  unaskedDefinitions(): string[] {
    // Rollcall pushes by itself and asks no agent to.
    return this.#unchecked(({ request }) => request).filter((name) => !name.includes('PushNotification'));
  }

  #unchecked(pick: (names: Names) => string, more: readonly string[] = []): string[] {
    const wanted = (Object.keys(METHODS) as Era[]).flatMap((era) =>
      FILES[era].flatMap((file) =>
        [...more, ...Object.values(METHODS[era]).map(pick)].map((name) => `${file} ${name}`),
      ),
    );
    return [...new Set(wanted)].filter((name) => !this.checked.has(name));
  }

  #check(file: PublishedSchema, definition: string, value: unknown): void {
    const valid = this.#oracles.get(file) ?? oracle(file);
    this.#oracles.set(file, valid);
    valid(definition, value);
    const name = `${file} ${definition}`;
    this.checked.set(name, (this.checked.get(name) ?? 0) + 1);
  }
}
