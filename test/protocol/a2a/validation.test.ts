import { describe, expect, it } from 'vitest';
import { RollcallError } from '../../../src/errors.ts';
import { DIALECTS, type DialectName } from '../../../src/protocol/a2a/dialects/index.ts';
import type { Operation } from '../../../src/protocol/a2a/requests.ts';

function failure(act: () => unknown): RollcallError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof RollcallError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'x' }] };
const older = { kind: 'message', messageId: 'm', role: 'user', parts: [{ kind: 'text', text: 'x' }] };
const long = 'x'.repeat(256);

const CASES: readonly [DialectName, Operation, unknown, string][] = [
  ['1.0', 'SendMessage', undefined, 'params'],
  ['1.0', 'SendMessage', [], 'params'],
  ['1.0', 'SendMessage', {}, 'message'],
  ['1.0', 'SendMessage', { message: null }, 'message'],
  ['1.0', 'SendMessage', { message: 'hi' }, 'message'],
  ['1.0', 'SendMessage', { message: { ...message, messageId: undefined } }, 'message.messageId'],
  ['1.0', 'SendMessage', { message: { ...message, messageId: '' } }, 'message.messageId'],
  ['1.0', 'SendMessage', { message: { ...message, messageId: long } }, 'message.messageId'],
  ['1.0', 'SendMessage', { message: { ...message, role: undefined } }, 'message.role'],
  ['1.0', 'SendMessage', { message: { ...message, role: 'user' } }, 'message.role'],
  ['1.0', 'SendMessage', { message: { ...message, role: 'ROLE_UNSPECIFIED' } }, 'message.role'],
  ['1.0', 'SendMessage', { message: { ...message, role: 0 } }, 'message.role'],
  ['1.0', 'SendMessage', { message: { ...message, parts: [] } }, 'message.parts'],
  ['1.0', 'SendMessage', { message: { ...message, parts: {} } }, 'message.parts'],
  ['1.0', 'SendMessage', { message: { ...message, parts: [{}] } }, 'message.parts[0]'],
  ['1.0', 'SendMessage', { message: { ...message, parts: [{ text: 'a', url: 'b' }] } }, 'message.parts[0]'],
  ['1.0', 'SendMessage', { message: { ...message, parts: [{ text: 'a' }, { text: 5 }] } }, 'message.parts[1].text'],
  ['1.0', 'SendMessage', { message: { ...message, parts: [{ raw: 'not base64!' }] } }, 'message.parts[0].raw'],
  ['1.0', 'SendMessage', { message: { ...message, parts: [{ raw: 'AAAAA' }] } }, 'message.parts[0].raw'],
  ['1.0', 'SendMessage', { message: { ...message, metadata: [] } }, 'message.metadata'],
  ['1.0', 'SendMessage', { message: { ...message, extensions: [1] } }, 'message.extensions[0]'],
  ['1.0', 'SendMessage', { message, configuration: { historyLength: -1 } }, 'configuration.historyLength'],
  ['1.0', 'SendMessage', { message, configuration: { historyLength: 1.5 } }, 'configuration.historyLength'],
  ['1.0', 'SendMessage', { message, configuration: { history_length: 'x' } }, 'configuration.history_length'],
  ['1.0', 'SendMessage', { message, configuration: { returnImmediately: 'yes' } }, 'configuration.returnImmediately'],
  [
    '1.0',
    'SendMessage',
    { message, configuration: { taskPushNotificationConfig: {} } },
    'configuration.taskPushNotificationConfig.url',
  ],
  ['1.0', 'GetTask', {}, 'id'],
  ['1.0', 'GetTask', { id: 7 }, 'id'],
  ['1.0', 'ListTasks', { pageSize: 0 }, 'pageSize'],
  ['1.0', 'ListTasks', { pageSize: 101 }, 'pageSize'],
  ['1.0', 'ListTasks', { status: 'working' }, 'status'],
  ['1.0', 'ListTasks', { status: 99 }, 'status'],
  ['1.0', 'ListTasks', { statusTimestampAfter: 'yesterday' }, 'statusTimestampAfter'],
  ['1.0', 'ListTasks', { statusTimestampAfter: '2026-13-01T00:00:00Z' }, 'statusTimestampAfter'],
  ['1.0', 'CreateTaskPushNotificationConfig', { url: 'https://x.example' }, 'taskId'],
  [
    '1.0',
    'CreateTaskPushNotificationConfig',
    { taskId: 't', url: 'https://x.example', authentication: { credentials: 'c' } },
    'authentication.scheme',
  ],
  ['1.0', 'DeleteTaskPushNotificationConfig', { taskId: 't' }, 'id'],
  ['0.3', 'SendMessage', { message: { ...older, role: 'ROLE_USER' } }, 'message.role'],
  ['0.3', 'SendMessage', { message: { ...older, parts: [{ kind: 'video' }] } }, 'message.parts[0].kind'],
  ['0.3', 'SendMessage', { message: { ...older, parts: [{ kind: 'text' }] } }, 'message.parts[0].text'],
  ['0.3', 'SendMessage', { message: { ...older, parts: [{ kind: 'file' }] } }, 'message.parts[0].file'],
  ['0.3', 'SendMessage', { message: { ...older, parts: [{ kind: 'file', file: {} }] } }, 'message.parts[0].file'],
  [
    '0.3',
    'SendMessage',
    { message: { ...older, parts: [{ kind: 'file', file: { bytes: 'aGk=', uri: 'u' } }] } },
    'message.parts[0].file',
  ],
  ['0.3', 'SendMessage', { message: { ...older, parts: [{ kind: 'data', data: [1] }] } }, 'message.parts[0].data'],
  ['0.3', 'CreateTaskPushNotificationConfig', { taskId: 't' }, 'pushNotificationConfig'],
  [
    '0.3',
    'CreateTaskPushNotificationConfig',
    { taskId: 't', pushNotificationConfig: { url: 'u', authentication: { schemes: [], credentials: 'c' } } },
    'pushNotificationConfig.authentication.schemes',
  ],
  ['0.3', 'DeleteTaskPushNotificationConfig', { id: 't' }, 'pushNotificationConfigId'],
  ['early', 'SendMessage', { message: { role: 'user', parts: [{ type: 'text', text: 'x' }] } }, 'id'],
  ['early', 'SendMessage', { id: long, message: { role: 'user', parts: [{ type: 'text', text: 'x' }] } }, 'id'],
  ['early', 'SendMessage', { id: 't', message: { role: 'user', parts: [] } }, 'message.parts'],
  ['early', 'SendMessage', { id: 't', message: { parts: [{ type: 'text', text: 'x' }] } }, 'message.role'],
  ['0.3-rest', 'SendMessage', { message: { messageId: 'm', role: 'ROLE_USER' } }, 'message.content'],
];

describe('what a client sends wrongly is refused by the name of the field', () => {
  it.each(CASES)('%s %s %j → %s', (dialect, operation, params, field) => {
    const error = failure(() => DIALECTS[dialect].readRequest(operation, params));
    expect({ code: error.code, field: error.field }).toEqual({ code: 'INVALID_INPUT', field });
    expect(error.message.startsWith(`${field}: `)).toBe(true);
  });
});

it('bounds ids, but not the addresses of webhooks', () => {
  const url = `https://client.example/hook?token=${long}`;
  expect(DIALECTS['1.0'].readRequest('CreateTaskPushNotificationConfig', { taskId: 't', url }).url).toBe(url);
  const nested = { taskId: 't', pushNotificationConfig: { url } };
  expect(DIALECTS['0.3'].readRequest('CreateTaskPushNotificationConfig', nested).url).toBe(url);
});

describe('base64', () => {
  const read = (raw: string): unknown => {
    const params = { message: { ...message, parts: [{ raw }] } };
    return DIALECTS['1.0'].readRequest('SendMessage', params).message.parts[0]?.raw;
  };

  it.each([
    ['', ''],
    ['aGk=', 'aGk='],
    ['aGk', 'aGk='],
    ['aA', 'aA=='],
    ['aA=', 'aA=='],
    ['-_-_', '+/+/'],
    ['aGVs\r\nbG8=\n', 'aGVsbG8='],
  ])('reads %j as %j', (wire, model) => {
    expect(read(wire)).toBe(model);
  });

  it.each(['a', 'aaaaa', '=', '==', 'a===', 'aGk=aGk=', 'ä', 'a b!'])('refuses %j', (wire) => {
    expect(failure(() => read(wire)).field).toBe('message.parts[0].raw');
  });

  it('takes time linear in the length, whatever the text', () => {
    const started = performance.now();
    for (const text of [`${'='.repeat(4_000_000)}x`, `${' '.repeat(4_000_000)}x`, 'A'.repeat(4_000_001)]) {
      expect(failure(() => read(text)).code).toBe('INVALID_INPUT');
    }
    // Quadratic time would be hours.
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('what an agent leaves out is mended where its meaning is plain', () => {
  it('reads proto3 defaults that a serialiser left out', () => {
    const { v1 } = { v1: DIALECTS['1.0'] };
    expect(v1.readResult('GetTask', { id: 't', status: {} })).toEqual({ id: 't', status: { state: 'unknown' } });
    const bare = { id: 't', status: { state: 2, message: { role: 0, parts: [] }, timestamp: 'soon' } };
    const read = v1.readResult('GetTask', bare);
    expect(read.status).toEqual({
      state: 'working',
      message: { messageId: expect.stringMatching(/^msg-[0-9a-f]{32}$/) as string, role: 'agent', parts: [] },
    });
    // The same answer means the same message.
    expect(v1.readResult('GetTask', bare)).toEqual(read);
  });

  it('finds out what a 0.3 event is when `kind` is missing', () => {
    const v03 = DIALECTS['0.3'];
    const status = { state: 'working' };
    expect(v03.readStreamEvent({ id: 't', contextId: 'c', status }).event.task?.id).toBe('t');
    expect(v03.readStreamEvent({ taskId: 't', contextId: 'c', status }).event.statusUpdate?.taskId).toBe('t');
    const artifact = { artifactId: 'a', parts: [] };
    expect(v03.readStreamEvent({ taskId: 't', artifact }).event.artifactUpdate?.artifact.parts).toEqual([]);
  });

  it('believes an agent of the older dialects when it says that nothing follows', () => {
    const update = { kind: 'status-update', taskId: 't', contextId: 'c', status: { state: 'working' }, final: true };
    expect(DIALECTS['0.3'].readStreamEvent(update).final).toBe(true);
    expect(DIALECTS.early.readStreamEvent({ id: 't', status: { state: 'completed' } }).final).toBe(true);
  });

  it.each([
    ['1.0', 'TASK_STATE_DANCING'],
    ['1.0', 99],
    ['0.3-rest', 'TASK_STATE_DANCING'],
    ['0.3', 'dancing'],
    ['early', 'dancing'],
  ] as const)('takes a state that %s does not have for an unknown one: %s', (name, state) => {
    const dialect = DIALECTS[name];
    expect(dialect.readResult('GetTask', { id: 't', status: { state } }).status.state).toBe('unknown');
    expect(() => dialect.readResult('GetTask', { id: 't', status: { state: {} } })).toThrow(/must be one of/);
    if (name !== '1.0') return;
    expect(failure(() => dialect.readRequest('ListTasks', { status: state })).field).toBe('status');
  });

  it('tells events of a later version from broken ones', () => {
    for (const dialect of Object.values(DIALECTS)) {
      expect(dialect.knowsEvent({ weird: {} })).toBe(false);
      for (const broken of [null, 7, 'x', []]) expect(dialect.knowsEvent(broken)).toBe(true);
    }
    expect(DIALECTS['0.3'].knowsEvent({ kind: 'dance', status: {} })).toBe(false);
    expect(DIALECTS['0.3'].knowsEvent({ kind: 'task' })).toBe(true);
    expect(DIALECTS['1.0'].knowsEvent({ task: {}, message: {} })).toBe(true);
    expect(DIALECTS.early.knowsEvent({ id: 't', status: 7 })).toBe(true);
  });

  it('tells equal messages of one early history apart', () => {
    const yes = { role: 'user', parts: [{ type: 'text', text: 'yes' }] };
    const task = DIALECTS.early.readResult('GetTask', { id: 't', status: { state: 'working' }, history: [yes, yes] });
    const [first, second] = task.history ?? [];
    expect(second?.messageId).toBe(`${first?.messageId}-2`);
  });

  it('blames the agent for the rest, by the field', () => {
    const error = failure(() => DIALECTS['1.0'].readResult('SendMessage', { task: { status: {} } }));
    expect({ code: error.code, field: error.field }).toEqual({ code: 'UPSTREAM_INVALID', field: 'result.task.id' });
  });
});

describe('operations that a dialect lacks', () => {
  it.each([
    ['0.3', 'ListTasks'],
    ['0.3-rest', 'ListTasks'],
    ['early', 'ListTasks'],
    ['early', 'ListTaskPushNotificationConfigs'],
    ['early', 'DeleteTaskPushNotificationConfig'],
    ['early', 'GetExtendedAgentCard'],
  ] as const)('%s has no %s', (name, operation) => {
    const dialect = DIALECTS[name];
    expect(dialect.supports(operation)).toBe(false);
    expect(failure(() => dialect.writeRequest(operation, {} as never)).code).toBe('UNSUPPORTED_OPERATION');
    expect(failure(() => dialect.readRequest(operation, {})).code).toBe('UNSUPPORTED_OPERATION');
    expect(failure(() => dialect.readResult(operation, {})).code).toBe('UNSUPPORTED_OPERATION');
  });
});

describe('webhooks', () => {
  const task = { id: 't', contextId: 'c', status: { state: 'completed' } } as const;
  const event = { statusUpdate: { taskId: 't', contextId: 'c', status: { state: 'completed' } } } as const;

  it('1.0 gets the event', () => {
    expect(DIALECTS['1.0'].writeWebhook(event, () => task)).toEqual({
      statusUpdate: { taskId: 't', contextId: 'c', status: { state: 'TASK_STATE_COMPLETED' } },
    });
    expect(DIALECTS['1.0'].webhook).toEqual({ body: 'event', contentType: 'application/a2a+json' });
  });

  it('0.3 gets the whole task, whatever binding registered it', () => {
    const body = { kind: 'task', id: 't', contextId: 'c', status: { state: 'completed' } };
    expect(DIALECTS['0.3'].writeWebhook(event, () => task)).toEqual(body);
    expect(DIALECTS['0.3-rest'].writeWebhook(event, () => task)).toEqual(body);
  });

  it('an early client gets the whole task under its own ids', () => {
    expect(DIALECTS.early.writeWebhook(event, () => task, { taskId: 'mine', contextId: 'session' })).toEqual({
      id: 'mine',
      sessionId: 'session',
      status: { state: 'completed' },
    });
  });
});
