import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { GRPC_METHODS, type MethodCodec, readStatus } from '../../src/protocol/a2a/protobuf.ts';
import { data, importAgent, startTestApp } from '../support/app.ts';
import { startSdkAgent } from '../support/sdk-agent.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { userMessage } from './support.ts';

const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const OWNER = '11111111-1111-4111-8111-111111111111';

let app: App;
let client: Client;
let tenant: string;
const as: Record<string, Metadata> = {};

beforeAll(async () => {
  app = await startTestApp({ ...JWT_SETTINGS, EGRESS_ALLOW: '127.0.0.1' });
  client = new Client(app.addresses.grpc, credentials.createInsecure());
  for (const [name, subject] of [
    ['owner', OWNER],
    ['stranger', '22222222-2222-4222-8222-222222222222'],
  ] as const) {
    as[name] = new Metadata();
    as[name].set('authorization', `Bearer ${await tokenFor(subject)}`);
  }
  const { registerAgent } = await data(
    app.addresses.url,
    'mutation { registerAgent(input: { name: "Private", executionType: ECHO, visibility: PRIVATE }) { id } }',
    {},
    await tokenFor(OWNER),
  );
  tenant = registerAgent.id;
});
afterAll(async () => {
  client?.close();
  await app?.close();
});

const bytes = (value: Buffer): Buffer => value;
const codecOf = (method: string): MethodCodec => GRPC_METHODS.get(method)!;

function call(method: string, params: object | Buffer, metadata = as['owner']!): Promise<Record<string, any>> {
  const codec = codecOf(method);
  const request = Buffer.isBuffer(params) ? params : Buffer.from(codec.writeRequest({ tenant, ...params }));
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(codec.path, bytes, bytes, request, metadata, (error, answer) => {
      if (error === null) resolve(codec.readAnswer(answer!) as Record<string, any>);
      else reject(error);
    });
  });
}

const streamed = (method: string, params: object, metadata = as['owner']!) => {
  const codec = codecOf(method);
  const request = Buffer.from(codec.writeRequest({ tenant, ...params }));
  return client.makeServerStreamRequest(codec.path, bytes, bytes, request, metadata);
};

async function refused(calling: Promise<unknown>) {
  const error = (await calling.then(
    () => expect.unreachable('the call succeeded'),
    (thrown: unknown) => thrown,
  )) as ServiceError;
  const [packed] = error.metadata.get('grpc-status-details-bin');
  const { code, details } = readStatus(packed as Buffer);
  expect(code).toBe(error.code);
  return { code: error.code, reason: (details[0] as { reason: string }).reason, message: error.details, details };
}

const withMetadata = (values: Record<string, string>): Metadata => {
  const metadata = as['owner']!.clone();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
};

test('any JSON passes in parts and metadata, null included, and bytes stay what they were', async () => {
  const parts = [
    { data: null },
    { data: [1, 'a', null, { b: true }] },
    { raw: Buffer.from([0, 255, 1]).toString('base64'), filename: 'x.bin', mediaType: 'application/octet-stream' },
    { url: 'https://files.example/x' },
  ];
  const metadata = { a: null, n: 1.5, nested: { list: [] } };
  const { task } = await call('SendMessage', { message: userMessage('', { parts, metadata }) });
  expect(task.status.state).toBe('TASK_STATE_COMPLETED');
  expect(task.history[0]).toMatchObject({ role: 'ROLE_USER', parts, metadata });
  expect(task.artifacts[0].parts).toEqual(parts);
});

test('lists, and answers an empty message where there is nothing to say', async () => {
  const contextId = crypto.randomUUID();
  await call('SendMessage', { message: userMessage('hi', { contextId }) });
  const page = await call('ListTasks', { contextId });
  expect(page).toMatchObject({ tasks: [{ contextId }], pageSize: 50, totalSize: 1 });
});

describe('errors', () => {
  test('carry their status, and an ErrorInfo in grpc-status-details-bin', async () => {
    expect(await refused(call('GetTask', { id: UNKNOWN }))).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'TASK_NOT_FOUND',
    });
    const invalid = await refused(call('SendMessage', { message: userMessage('hi', { parts: [] }) }));
    expect(invalid).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'INVALID_PARAMS' });
    expect(invalid.details[1]).toMatchObject({ fieldViolations: [{ field: 'message.parts' }] });
    const { task } = await call('SendMessage', { message: userMessage('hi') });
    expect(await refused(call('CancelTask', { id: task.id }))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      reason: 'TASK_NOT_CANCELABLE',
    });
  });

  test('a stream that is refused ends with the error', async () => {
    const failing = new Promise((_, reject) => {
      streamed('SubscribeToTask', { id: UNKNOWN })
        .on('error', reject)
        .on('data', () => undefined);
    });
    expect(await refused(failing)).toMatchObject({ code: status.NOT_FOUND, reason: 'TASK_NOT_FOUND' });
  });

  test('bytes that are no message, an agent that is not named, and another version are refused', async () => {
    expect(await refused(call('GetTask', Buffer.from([0xff, 0xff])))).toMatchObject({ reason: 'PARSE_ERROR' });
    expect(await refused(call('GetTask', { tenant: '', id: UNKNOWN }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringContaining('tenant'),
    });
    for (const version of ['0.3', '7.0']) {
      const metadata = withMetadata({ 'a2a-version': version });
      expect(await refused(call('GetTask', { id: UNKNOWN }, metadata))).toMatchObject({
        code: status.FAILED_PRECONDITION,
        reason: 'VERSION_NOT_SUPPORTED',
      });
    }
  });

  test('a caller without a token, or with a wrong one, is asked to sign in', async () => {
    const wrong = new Metadata();
    wrong.set('authorization', 'Bearer wrong');
    for (const metadata of [new Metadata(), wrong]) {
      const error = await refused(call('SendMessage', { message: userMessage('hi') }, metadata));
      expect(error.code).toBe(status.UNAUTHENTICATED);
    }
  });

  test("an agent that one may not see, and another's task, are like what does not exist", async () => {
    const { task } = await call('SendMessage', { message: userMessage('ask: more?') });
    const stranger = as['stranger']!;
    const hidden = await refused(call('SendMessage', { message: userMessage('hi') }, stranger));
    const missing = await refused(call('SendMessage', { tenant: UNKNOWN, message: userMessage('hi') }, stranger));
    expect({ ...hidden, message: hidden.message.replace(tenant, UNKNOWN) }).toEqual(missing);
    for (const method of ['GetTask', 'CancelTask']) {
      expect(await refused(call(method, { id: task.id }, stranger))).toMatchObject({ reason: 'TASK_NOT_FOUND' });
    }
  });
});

test('an idempotency-key gets the same task again', async () => {
  const metadata = withMetadata({ 'idempotency-key': crypto.randomUUID(), 'a2a-version': '1.0' });
  const first = await call('SendMessage', { message: userMessage('hi') }, metadata);
  const second = await call('SendMessage', { message: userMessage('hi') }, metadata);
  expect(second['task'].id).toBe(first['task'].id);
});

test('a reader that leaves a stream does not end the work', async () => {
  const agent = await startSdkAgent();
  onTestFinished(() => agent.close());
  const agentId = await importAgent(app.addresses.url, agent.url, await tokenFor(OWNER));
  const stream = streamed('SendStreamingMessage', { tenant: agentId, message: userMessage('wait') });
  const first = await new Promise<Buffer>((resolve) => stream.once('data', resolve));
  await agent.waiting();
  const { task } = codecOf('SendStreamingMessage').readAnswer(first) as Record<string, any>;
  const ended = new Promise<ServiceError>((resolve) => stream.once('error', resolve));
  stream.cancel();
  expect((await ended).code).toBe(status.CANCELLED);
  const watched = streamed('SubscribeToTask', { tenant: agentId, id: task.id });
  const states: string[] = [];
  for await (const event of watched) {
    // It is watched: now it may end.
    agent.release();
    const { statusUpdate } = codecOf('SubscribeToTask').readAnswer(event as Buffer) as Record<string, any>;
    if (statusUpdate !== undefined) states.push(statusUpdate.status.state);
  }
  expect(states.at(-1)).toBe('TASK_STATE_COMPLETED');
});
