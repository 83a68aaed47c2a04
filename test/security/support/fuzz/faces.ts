import { randomUUID } from 'node:crypto';
import { type Client, status } from '@grpc/grpc-js';
import WebSocket from 'ws';
import { DIALECTS } from '../../../../src/protocol/a2a/dialects/index.ts';
import { OPERATIONS } from '../../../../src/protocol/a2a/methods.ts';
import { GRPC_METHODS } from '../../../../src/protocol/a2a/protobuf.ts';
import type { Operation } from '../../../../src/protocol/a2a/requests.ts';
import { admin, core } from '../../../flyte/support/published.ts';
import { cardV1 } from '../../../support/card-server.ts';
import { callGrpc, httpRequest, refusalText } from '../a2a-doors.ts';
import type { Target } from './target.ts';

/** A door to try: valid requests of it, how one is sent, and what is wrong with the answer, if anything. */
export interface Face {
  readonly name: string;
  readonly valid: (target: Target) => readonly Valid[];
  /** @throws Error saying what is wrong with the answer. */
  readonly send: (target: Target, bytes: Buffer, valid: Valid) => Promise<void>;
}

/** A valid request: its bytes, and where it goes. */
export interface Valid {
  readonly bytes: Buffer;
  readonly method?: string;
  readonly path?: string;
  readonly streaming?: boolean;
}

/** Longest that an answer may take on a busy machine. */
const PATIENCE_MS = 20_000;
/** How our own mistakes read in any protocol. */
const MISTAKE = /Something went wrong on our side|INTERNAL_SERVER_ERROR|"code":"INTERNAL"/;

const wrong = (what: string, answer: string): never => {
  throw new Error(`${what}: ${answer.slice(0, 1_500)}`);
};

const REQUESTS = ({ taskId }: Target): Readonly<Record<Operation, object>> => {
  const message = { messageId: randomUUID(), role: 'user', parts: [{ text: 'hello' }, { data: { a: [1] } }] };
  const hook = { taskId, id: 'hook', url: 'http://127.0.0.1:9/hook', token: 'token' };
  return {
    SendMessage: { message, configuration: { historyLength: 1, acceptedOutputModes: ['text/plain'] } },
    SendStreamingMessage: { message },
    GetTask: { id: taskId, historyLength: 2 },
    ListTasks: { pageSize: 5, status: 'input-required' },
    CancelTask: { id: randomUUID() },
    SubscribeToTask: { id: taskId },
    CreateTaskPushNotificationConfig: hook,
    GetTaskPushNotificationConfig: { taskId, id: 'hook' },
    ListTaskPushNotificationConfigs: { taskId },
    DeleteTaskPushNotificationConfig: { taskId, id: 'none' },
    GetExtendedAgentCard: {},
  };
};
const operations = (target: Target) => Object.entries(REQUESTS(target)) as [Operation, never][];

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** The answer; of a stream, what comes until its first event. */
async function ask(target: Target, path: string, method: string, body: Buffer | undefined, token = target.token) {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(new Error(`no answer after ${PATIENCE_MS} ms`)), PATIENCE_MS);
  try {
    const response = await fetch(`${target.url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        authorization: `Bearer ${token}`,
      },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      signal: stop.signal,
    });
    const type = response.headers.get('content-type') ?? '';
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (type.startsWith('text/event-stream') && /^data:.*\n\r?\n/m.test(text)) break;
    }
    stop.abort();
    const answer: Answer = { status: response.status, type, text };
    const told = `${method} ${path} answered ${response.status} ${type} ${text}`;
    if (response.status >= 500 || MISTAKE.test(text)) wrong('a failure of ours', told);
    return { ...answer, told };
  } finally {
    clearTimeout(late);
  }
}

const json = (text: string, told: string): any => {
  try {
    return JSON.parse(/^data: ?(.*)$/m.exec(text)?.[1] ?? text);
  } catch {
    return wrong('no JSON', told);
  }
};

const JSON_RPC: Face = {
  name: 'JSON-RPC',
  valid: (target) =>
    operations(target).flatMap(([operation, request]) =>
      (['1.0', '0.3', 'early'] as const).flatMap((dialect): Valid[] => {
        const method = OPERATIONS[operation].jsonRpc[dialect];
        if (method === null) return [];
        const params = DIALECTS[dialect].writeRequest(operation, request);
        return [{ bytes: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })) }];
      }),
    ),
  async send(target, bytes) {
    const { status: code, text, told } = await ask(target, `a2a/${target.agentId}`, 'POST', bytes);
    // What has no id is a notification, and gets no answer.
    if (code === 204 && text === '') return;
    const answers = [json(text, told)].flat();
    for (const answer of answers)
      if (answer?.jsonrpc !== '2.0' || 'result' in answer === 'error' in answer) wrong('no JSON-RPC answer', told);
  },
};

/** The method and the address are part of the request here: one line, then the body. */
const HTTP_JSON: Face = {
  name: 'HTTP+JSON',
  valid: (target) =>
    operations(target).flatMap(([operation, request]) =>
      (['1.0', '0.3-rest'] as const).flatMap((dialect) =>
        OPERATIONS[operation].http[dialect].map((route): Valid => {
          const { path, body } = httpRequest(route, DIALECTS[dialect].writeRequest(operation, request) as never);
          return { bytes: Buffer.from(body ?? path), method: route.verb, path };
        }),
      ),
    ),
  async send(target, bytes, { method = 'GET', path = '' }) {
    const inPath = method !== 'POST';
    // A client escapes what no address may hold; what it may hold arrives as it is.
    const changed = inPath ? encodeURI(bytes.toString('latin1')).replaceAll('%25', '%').replace(/^\/*/, '/') : path;
    const {
      text,
      told,
      status: code,
    } = await ask(target, `a2a/${target.agentId}${changed.replaceAll('#', '%23')}`, method, inPath ? undefined : bytes);
    if (code !== 204 && !(code === 304)) json(text, told);
  },
};

const GRAPHQL_REQUESTS = ({ agentId, taskId }: Target): readonly object[] => [
  { query: '{ agents(first: 5) { nodes { id name skills { key } } totalCount { value } } }' },
  {
    query:
      'query A($id: ID!, $f: TaskFilterInput) { agent(id: $id) { id ...B tasks(filter: $f, first: 3) { nodes { id } } } } fragment B on Agent { handle history { nodes { at } } }',
    variables: { id: agentId, f: { states: ['COMPLETED'], statusTimestampAfter: '2026-01-01T00:00:00Z' } },
    operationName: 'A',
  },
  {
    query: 'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id state } } }',
    variables: {
      input: { agentId, parts: [{ text: 'x' }, { raw: 'AAAA' }, { data: { a: 1 } }], metadata: { k: [1] } },
    },
  },
  {
    query: 'mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id } }',
    variables: {
      input: {
        name: 'Fuzz',
        executionType: 'API',
        url: 'http://127.0.0.1:9/',
        authentication: { type: 'BASIC', username: 'u', password: 'p' },
        skills: [{ key: 'a', name: 'b', tags: ['c'] }],
      },
    },
  },
  {
    query: 'query($id: ID!) { task(id: $id) { history(last: 2) { parts { text data } } } }',
    variables: { id: taskId },
  },
  { query: '{ __schema { types { name } } }' },
  { query: '{ exportRecords(first: 2) { records next } }' },
];

const GRAPHQL: Face = {
  name: 'GraphQL over HTTP',
  valid: (target) => GRAPHQL_REQUESTS(target).map((body) => ({ bytes: Buffer.from(JSON.stringify(body)) })),
  async send(target, bytes) {
    const { text, told } = await ask(target, 'graphql', 'POST', bytes);
    const answer = json(text, told);
    const known = Array.isArray(answer?.errors) || 'data' in (answer ?? {}) || typeof answer?.code === 'string';
    if (!known) wrong('no GraphQL answer', told);
  },
};

/** A changed frame; then a ping, which a socket that still stands answers. */
const SOCKET: Face = {
  name: 'graphql-ws',
  valid: (target) =>
    [
      ...GRAPHQL_REQUESTS(target).slice(0, 3),
      { query: 'subscription($id: ID!) { taskEvents(taskId: $id) { sequence } }', variables: { id: target.taskId } },
    ]
      .map((payload): object => ({ id: '1', type: 'subscribe', payload }))
      .concat([{ id: '1', type: 'complete' }, { type: 'ping', payload: { a: 1 } }, { type: 'connection_init' }])
      .map((frame) => ({ bytes: Buffer.from(JSON.stringify(frame)) })),
  async send(target, bytes) {
    const socket = new WebSocket(`${target.url.replace('http', 'ws')}graphql`, 'graphql-transport-ws');
    const said: string[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`the socket is silent: ${said}`)), PATIENCE_MS);
        const done = (): void => {
          clearTimeout(late);
          resolve();
        };
        socket.on('open', () =>
          socket.send(
            JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${target.token}` } }),
          ),
        );
        socket.on('error', reject);
        socket.on('close', (code) => {
          // 1011 and 4500: our own mistake. 1006: the process went away.
          if (code === 1006 || code === 1011 || code === 4500) reject(new Error(`closed with ${code}: ${said}`));
          else done();
        });
        socket.on('message', (data) => {
          const text = String(data);
          said.push(text);
          const { type, payload } = JSON.parse(text) as { type: string; payload?: { end?: boolean } };
          if (MISTAKE.test(text)) reject(new Error(`a failure of ours: ${text}`));
          if (type === 'connection_ack') {
            socket.send(bytes, { binary: false });
            socket.send('{"type":"ping","payload":{"end":true}}');
          } else if (type === 'pong' && payload?.end === true) done();
        });
      });
    } finally {
      socket.terminate();
    }
  },
};

/** Statuses that say that something went wrong on our side, or took for ever. */
const OUR_FAILURES: ReadonlySet<number> = new Set([
  status.UNKNOWN,
  status.INTERNAL,
  status.DEADLINE_EXCEEDED,
  status.DATA_LOSS,
]);

async function callRaw(client: Client, path: string, streaming: boolean, bytes: Buffer, token?: string): Promise<void> {
  const { error } = await callGrpc(client, path, streaming, bytes, token);
  if (error === undefined) return;
  if (OUR_FAILURES.has(error.code) || MISTAKE.test(error.details)) wrong(`${path} failed`, refusalText(error));
  if (error.code === status.UNAVAILABLE && /Connection dropped|ECONN|No connection/.test(error.details))
    wrong(`${path}: the connection broke`, refusalText(error));
}

const A2A_GRPC: Face = {
  name: 'gRPC of A2A',
  valid: (target) =>
    operations(target).map(([operation, request]): Valid => {
      const codec = GRPC_METHODS.get(operation)!;
      const wire = DIALECTS['1.0'].writeRequest(operation, { ...(request as object), tenant: target.agentId } as never);
      return { bytes: Buffer.from(codec.writeRequest(wire)), path: codec.path, streaming: codec.streaming };
    }),
  send: (target, bytes, { path = '', streaming = false }) =>
    callRaw(target.a2aGrpc, path, streaming, bytes, target.token),
};

const FLYTE: Face = {
  name: "Flyte's gRPC",
  valid() {
    const taskCategory = { name: 'target_task', version: 0 };
    const resourceMeta = Buffer.from('{"job":"1"}');
    const template = core.TaskTemplate.create({ type: 'target_task', id: { name: 'fuzz' }, container: { image: 'i' } });
    const first = '/flyteidl.service.AsyncAgentService/';
    const second = '/flyteidl2.connector.AsyncConnectorService/';
    const job = (name: string, bytes: Uint8Array, streaming = false): Valid[] =>
      [first, second].map((service) => ({ bytes: Buffer.from(bytes), path: `${service}${name}`, streaming }));
    return [
      ...job('CreateTask', admin.CreateTaskRequest.encode({ template, outputPrefix: 's3://b/o' }).finish()),
      ...job('GetTask', admin.GetTaskRequest.encode({ taskCategory, resourceMeta }).finish()),
      ...job('DeleteTask', admin.DeleteTaskRequest.encode({ taskCategory, resourceMeta }).finish()),
      ...job('GetTaskMetrics', admin.GetTaskMetricsRequest.encode({ taskCategory, resourceMeta }).finish()),
      ...job('GetTaskLogs', admin.GetTaskLogsRequest.encode({ taskCategory, resourceMeta }).finish(), true),
      {
        bytes: Buffer.from(admin.GetAgentRequest.encode({ name: 'target' }).finish()),
        path: '/flyteidl.service.AgentMetadataService/GetAgent',
      },
      { bytes: Buffer.from([10, 0]), path: '/flyteidl.service.AgentMetadataService/ListAgents' },
    ];
  },
  send: (target, bytes, { path = '', streaming = false }) => callRaw(target.flyteGrpc, path, streaming, bytes),
};

const CARDS: Face = {
  name: 'cards',
  valid: () =>
    [
      cardV1({
        signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'AAAA' }],
        provider: { organization: 'o', url: 'https://o.example/' },
      }),
      {
        protocolVersion: '0.3.0',
        name: 'Old',
        description: 'd',
        version: '1',
        url: 'http://127.0.0.1:9/',
        preferredTransport: 'JSONRPC',
        capabilities: { streaming: true, extensions: [{ uri: 'https://e.example/', required: true }] },
        defaultInputModes: ['text'],
        defaultOutputModes: ['text'],
        skills: [{ id: 's', name: 's', description: 'd', tags: ['t'] }],
        securitySchemes: { a: { type: 'apiKey', in: 'header', name: 'k' } },
        security: [{ a: [] }],
      },
    ].map((card) => ({ bytes: Buffer.from(JSON.stringify(card)) })),
  async send(target, bytes) {
    const path = `/${randomUUID()}`;
    target.cards.on(`${path}/.well-known/agent-card.json`, (_request, response) => {
      response.setHeader('content-type', 'application/json').end(bytes);
    });
    const url = `${target.cards.url}${path.slice(1)}/`;
    const shown = 'url era valid problems { path severity message } agent verification { state }';
    for (const query of [
      `mutation { previewCard(url: "${url}") { ${shown} } }`,
      `mutation { importAgent(input: { url: "${url}", visibility: PRIVATE }) { id skills { key } sourceCard { digest } } }`,
    ])
      await GRAPHQL.send(target, Buffer.from(JSON.stringify({ query })), { bytes });
  },
};

const decoded = (token: string): string =>
  token
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString('hex'))
    .join('.');

const TOKENS: Face = {
  name: 'tokens',
  valid: ({ token }) => [{ bytes: Buffer.from(token) }],
  async send(target, bytes) {
    // What no header may hold never leaves a client.
    const token = bytes.toString('latin1').replace(/[^\x21-\x7e]/g, '_');
    const query = Buffer.from('{"query":"{ tasks { nodes { id } } }"}');
    const { status: code, text, told } = await ask(target, 'graphql', 'POST', query, token);
    const accepted = code === 200 && !text.includes('UNAUTHENTICATED');
    // The same bytes may be spelled in more than one way in base64; anything else would be a forgery.
    if (accepted && decoded(token) !== decoded(target.token)) wrong('a changed token was accepted', `${token} ${told}`);
  },
};

export const FACES: readonly Face[] = [JSON_RPC, HTTP_JSON, GRAPHQL, SOCKET, A2A_GRPC, FLYTE, CARDS, TOKENS];
