import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { GRPC_METHODS } from '../../src/protocol/a2a/protobuf.ts';
import { startTestApp } from '../support/app.ts';
import { LONG } from '../support/soon.ts';
import { echoAgent, post, readEvents, rpc, take, userMessage } from './support.ts';

const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const MOST = 64 * 1024;

let app: App;
let base: string;
beforeAll(async () => {
  app = await startTestApp({ MAX_BODY_BYTES: String(MOST) });
  base = `${app.addresses.url}a2a/${await echoAgent(app)}`;
});
afterAll(() => app?.close());

/** What a door says of an error, in one form for all of them. */
interface Said {
  readonly status: number;
  /** JSON-RPC's code, where the dialect has it. */
  readonly code: number | undefined;
  /** Our code or A2A's reason. */
  readonly reason: string | undefined;
  readonly field: string | undefined;
}

function said({ status: http, body }: { status: number; body: any }): Said {
  // In an envelope, in 1.0's own wrapper, or bare.
  const error = body.error ?? body;
  const details: any[] = Array.isArray(error.data) ? error.data : (error.details ?? []);
  const info = details.find((it) => it['@type']?.endsWith('ErrorInfo'));
  const violation = details.find((it) => it['@type']?.endsWith('BadRequest'))?.fieldViolations[0];
  return {
    status: http,
    code: Array.isArray(error.details) ? undefined : error.code,
    reason: info?.reason ?? error.data?.code,
    field: violation?.field ?? error.data?.field,
  };
}

/** A door that takes a send, and how its messages look. */
interface Door {
  readonly name: string;
  /** A message with these parts; `text` makes a part. */
  readonly text: (text: unknown) => object;
  readonly message: (more: object) => object;
  readonly send: (message: unknown, more?: object) => Promise<{ status: number; body: any }>;
  readonly raw: (body: string, headers?: Record<string, string>) => Promise<{ status: number; body: any }>;
  /** The name of the parts on the wire. */
  readonly parts: string;
  /** HTTP status of what is wrong in the message: JSON-RPC answers 200. */
  readonly status: 200 | 400;
  readonly hasIds: boolean;
  readonly task: (id: string) => Promise<{ status: number; body: any }>;
}

const V1 = { 'a2a-version': '1.0' };
const DOORS: readonly Door[] = [
  {
    name: 'JSON-RPC 1.0',
    text: (text) => ({ text }),
    message: (more) => userMessage('hi', more),
    send: (message, more = {}) => post(base, rpc('SendMessage', { message, ...more }), V1),
    raw: (body, headers = {}) => post(base, body, { ...V1, ...headers }),
    parts: 'parts',
    status: 200,
    hasIds: true,
    task: (id) => post(base, rpc('GetTask', { id }), V1),
  },
  {
    name: 'JSON-RPC 0.3',
    text: (text) => ({ kind: 'text', text }),
    message: (more) => ({
      kind: 'message',
      messageId: crypto.randomUUID(),
      role: 'user',
      parts: [{ kind: 'text', text: 'hi' }],
      ...more,
    }),
    send: (message, more = {}) => post(base, rpc('message/send', { message, ...more })),
    raw: (body, headers = {}) => post(base, body, { 'a2a-version': '0.3', ...headers }),
    parts: 'parts',
    status: 200,
    hasIds: true,
    task: (id) => post(base, rpc('tasks/get', { id })),
  },
  {
    name: 'JSON-RPC of the early era',
    text: (text) => ({ type: 'text', text }),
    message: (more) => ({ role: 'user', parts: [{ type: 'text', text: 'hi' }], ...more }),
    send: (message, more = {}) => post(base, rpc('tasks/send', { id: crypto.randomUUID(), message, ...more })),
    raw: (body, headers = {}) => post(base, body, { 'a2a-version': '0.1', ...headers }),
    parts: 'parts',
    status: 200,
    hasIds: false,
    task: (id) => post(base, rpc('tasks/get', { id }), { 'a2a-version': '0.1' }),
  },
  {
    name: 'HTTP+JSON 1.0',
    text: (text) => ({ text }),
    message: (more) => userMessage('hi', more),
    send: (message, more = {}) => post(`${base}/message:send`, { message, ...more }),
    raw: (body, headers = {}) => post(`${base}/message:send`, body, headers),
    parts: 'parts',
    status: 400,
    hasIds: true,
    task: async (id) => {
      const response = await fetch(`${base}/tasks/${id}`);
      return { status: response.status, body: await response.json() };
    },
  },
  {
    name: 'HTTP+JSON 0.3',
    text: (text) => ({ text }),
    message: (more) => ({ messageId: crypto.randomUUID(), role: 'ROLE_USER', content: [{ text: 'hi' }], ...more }),
    send: (message, more = {}) => post(`${base}/v1/message:send`, { message, ...more }),
    raw: (body, headers = {}) => post(`${base}/v1/message:send`, body, headers),
    parts: 'content',
    status: 400,
    hasIds: true,
    task: async (id) => {
      const response = await fetch(`${base}/v1/tasks/${id}`);
      return { status: response.status, body: await response.json() };
    },
  },
  {
    name: 'the paths of the early era',
    text: (text) => ({ type: 'text', text }),
    message: (more) => ({ role: 'user', parts: [{ type: 'text', text: 'hi' }], ...more }),
    send: (message, more = {}) => post(`${base}/tasks/send`, { id: crypto.randomUUID(), message, ...more }),
    raw: (body, headers = {}) => post(`${base}/tasks/send`, body, headers),
    parts: 'parts',
    status: 400,
    hasIds: false,
    task: (id) => post(`${base}/tasks/get`, { id }),
  },
];

/** A reason in 1.0's words is A2A's where it has one; the older dialects get our code. */
const INVALID = expect.stringMatching(/^INVALID_(PARAMS|INPUT)$/);
const rpcCode = ({ name }: Door, code: number) => (name === 'HTTP+JSON 1.0' ? undefined : code);

describe.each(DOORS)('bad input over $name', (door) => {
  const { parts, status: http } = door;

  test.each([
    ['cut off', '{"jsonrpc": "2.0", '],
    ['not UTF-8', null],
    ['no JSON', 'hello'],
    ['empty', ''],
  ])('a body that is %s', async (name, body) => {
    const answer =
      body === null
        ? await (async () => {
            const url = door.name.startsWith('JSON-RPC')
              ? base
              : `${base}${door.name.includes('early') ? '/tasks/send' : door.name.endsWith('0.3') ? '/v1/message:send' : '/message:send'}`;
            const response = await fetch(url, {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
            });
            return { status: response.status, body: await response.json() };
          })()
        : await door.raw(body);
    const it = said(answer);
    // HTTP+JSON reads an empty body as one without members.
    if (name === 'empty' && door.name.startsWith('HTTP+JSON')) expect(it.reason).toEqual(INVALID);
    else expect(it).toMatchObject({ status: http, reason: 'PARSE_ERROR', code: rpcCode(door, -32700) });
  });

  test('a body past the limit', async () => {
    const it = said(await door.raw(JSON.stringify({ x: 'x'.repeat(MOST) })));
    expect(it).toMatchObject({ status: 413, reason: 'PAYLOAD_TOO_LARGE' });
  });

  test('a body of another type', async () => {
    const it = said(await door.raw('{}', { 'content-type': 'application/xml' }));
    expect(it).toMatchObject({ status: 415, reason: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  test('JSON that is deeper than anyone means it', async () => {
    let deep: unknown = 1;
    for (let i = 0; i < 3_000; i++) deep = [deep];
    const it = said(await door.send(door.message({ metadata: { deep } })));
    expect(it).toMatchObject({ status: http, reason: INVALID, code: rpcCode(door, -32602) });
  });

  const wrong: readonly (readonly [name: string, message: () => unknown, field: RegExp])[] = [
    ['no message', () => undefined, /^message$/],
    ['a message that is a text', () => 'hi', /^message$/],
    ['a message that is a list', () => [], /^message$/],
    ['no parts', () => door.message({ [parts]: undefined }), /parts|content/],
    ['an empty list of parts', () => door.message({ [parts]: [] }), /parts|content/],
    ['parts that are no list', () => door.message({ [parts]: 'hi' }), /parts|content/],
    ['a part that is a text', () => door.message({ [parts]: ['hi'] }), /\[0\]/],
    ['a part without content', () => door.message({ [parts]: [{}] }), /\[0\]/],
    ['a text that is a number', () => door.message({ [parts]: [door.text(7)] }), /\[0\]/],
    ['a role that nobody has', () => door.message({ role: 'king' }), /role/],
    [
      'the role of the agent',
      () => door.message({ role: door.name.includes('1.0') || door.name === 'HTTP+JSON 0.3' ? 'ROLE_AGENT' : 'agent' }),
      /role/,
    ],
    ['metadata that is a list', () => door.message({ metadata: [] }), /metadata/],
  ];
  test.each(wrong)('%s', async (_, message, field) => {
    const it = said(await door.send(message()));
    expect(it).toMatchObject({ status: http, reason: INVALID, code: rpcCode(door, -32602) });
    expect(it.field).toMatch(field);
  });

  if (door.hasIds)
    test('a message without an id', async () => {
      const it = said(await door.send(door.message({ messageId: undefined })));
      expect(it).toMatchObject({ status: http, reason: INVALID, field: 'message.messageId' });
    });

  if (!door.hasIds)
    test('a task without an id', async () => {
      const it = said(await door.send(door.message({}), { id: undefined }));
      expect(it).toMatchObject({ status: http, reason: INVALID, field: 'id' });
    });

  test('a task that there is not', async () => {
    const it = said(await door.task(UNKNOWN));
    expect(it).toMatchObject({
      status: http === 200 ? 200 : 404,
      reason: 'TASK_NOT_FOUND',
      code: rpcCode(door, -32001),
    });
  });

  if (door.hasIds)
    test('a message for a task that there is not, and for one that has ended', async () => {
      const missing = said(await door.send(door.message({ taskId: UNKNOWN })));
      expect(missing).toMatchObject({ status: http === 200 ? 200 : 404, reason: 'TASK_NOT_FOUND' });
      const { body } = await door.send(door.message({}));
      const { id } = body.result?.task ?? body.result ?? body.task;
      const ended = said(await door.send(door.message({ taskId: id })));
      expect(ended).toMatchObject({ status: http, reason: 'UNSUPPORTED_OPERATION', code: rpcCode(door, -32004) });
    });
});

describe('bad input over gRPC', () => {
  const bytes = (value: Buffer): Buffer => value;
  const refused = (request: Buffer): Promise<ServiceError> => {
    const client = new Client(app.addresses.grpc, credentials.createInsecure());
    const { path } = GRPC_METHODS.get('SendMessage')!;
    return new Promise<ServiceError>((resolve, reject) => {
      client.makeUnaryRequest(path, bytes, bytes, request, new Metadata(), (error) =>
        error === null ? reject(new Error('the call succeeded')) : resolve(error),
      );
    }).finally(() => client.close());
  };

  test('bytes that are no message, and more of them than the limit', async () => {
    expect((await refused(Buffer.from([0xff, 0xff, 0xff]))).code).toBe(status.INVALID_ARGUMENT);
    expect((await refused(Buffer.alloc(MOST + 1))).code).toBe(status.RESOURCE_EXHAUSTED);
  });
});

test('no amount of bad input, nor of readers that leave, is kept in memory', LONG, async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const bad = async (): Promise<void> => {
    await Promise.all(
      DOORS.flatMap((door) => [
        door.raw('{"jsonrpc": '),
        door.send(door.message({ [door.parts]: [] })),
        door.task(UNKNOWN),
        door.raw(JSON.stringify({ x: 'x'.repeat(MOST) })),
      ]),
    );
    const leaving = new AbortController();
    const response = await fetch(base, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(rpc('SubscribeToTask', { id: waiting })),
      signal: leaving.signal,
    });
    await take(readEvents(response), 1);
    leaving.abort();
  };
  const asked = await post(base, rpc('SendMessage', { message: userMessage('ask: well?') }));
  const waiting: string = asked.body['result'].task.id;
  const used = async (): Promise<number> => {
    // Sockets that were cut are let go of a turn later.
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    return process.memoryUsage().heapUsed;
  };
  for (let i = 0; i < 30; i++) await bad();
  const before = await used();
  for (let i = 0; i < 100; i++) await bad();
  const grown = (await used()) - before;
  // A body, an error or a stream kept per call would be several times this: 2,500 calls.
  expect(grown).toBeLessThan(6 * 1024 * 1024);
  const open = process.getActiveResourcesInfo().filter((it) => it === 'TCPSocketWrap').length;
  expect(open).toBeLessThan(150);
});
