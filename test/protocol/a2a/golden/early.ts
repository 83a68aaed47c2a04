import type { Golden } from './golden.ts';

const wireMessage = { role: 'user', parts: [{ type: 'text', text: 'tell me a joke' }] };

/** Readers are run with ids `new-1`, `new-2`, … where the dialect has none. */
export const early: readonly Golden[] = [
  {
    name: 'a minimal send: the client chose the task id, the message has none',
    as: 'request',
    operation: 'SendMessage',
    only: 'read',
    wire: { id: 'client-task', message: wireMessage },
    model: {
      message: { messageId: 'new-1', role: 'user', parts: [{ text: 'tell me a joke' }] },
      clientIds: { taskId: 'client-task' },
    },
  },
  {
    name: 'a send with every member',
    as: 'request',
    operation: 'SendStreamingMessage',
    wire: {
      id: 'client-task',
      sessionId: 'client-session',
      message: {
        role: 'user',
        parts: [
          { type: 'text', text: 'see' },
          { type: 'file', file: { name: 'hello.txt', mimeType: 'text/plain', bytes: 'aGVsbG8=' } },
          { type: 'data', data: { a: 1 }, metadata: { k: 1 } },
        ],
        metadata: { m: 1 },
      },
      acceptedOutputModes: ['text'],
      pushNotification: {
        url: 'https://client.example/hook',
        token: 'opaque',
        authentication: { schemes: ['Bearer'], credentials: 'abc' },
      },
      historyLength: 2,
      metadata: { trace: 1 },
    },
    model: {
      message: {
        messageId: 'new-1',
        role: 'user',
        parts: [
          { text: 'see' },
          { raw: 'aGVsbG8=', filename: 'hello.txt', mediaType: 'text/plain' },
          { data: { a: 1 }, metadata: { k: 1 } },
        ],
        metadata: { m: 1 },
      },
      configuration: {
        acceptedOutputModes: ['text'],
        taskPushNotificationConfig: {
          url: 'https://client.example/hook',
          token: 'opaque',
          authentication: { scheme: 'Bearer', credentials: 'abc' },
        },
        historyLength: 2,
      },
      metadata: { trace: 1 },
      clientIds: { taskId: 'client-task', contextId: 'client-session' },
    },
  },
  {
    name: 'a get',
    as: 'request',
    operation: 'GetTask',
    wire: { id: 'client-task', historyLength: 10, metadata: { k: 1 } },
    model: { id: 'client-task', historyLength: 10, metadata: { k: 1 } },
  },
  {
    name: 'a push set: one config per task',
    as: 'request',
    operation: 'CreateTaskPushNotificationConfig',
    wire: {
      id: 'client-task',
      pushNotificationConfig: { url: 'https://client.example/hook', authentication: { schemes: ['Bearer'] } },
    },
    model: { taskId: 'client-task', url: 'https://client.example/hook', authentication: { scheme: 'Bearer' } },
  },
  {
    name: 'a push get',
    as: 'request',
    operation: 'GetTaskPushNotificationConfig',
    wire: { id: 'client-task' },
    model: { taskId: 'client-task' },
  },
  {
    name: 'a send answers the task alone, under the ids of the client',
    as: 'result',
    operation: 'SendMessage',
    only: 'write',
    options: { taskId: 'client-task', contextId: 'client-session' },
    wire: {
      id: 'client-task',
      sessionId: 'client-session',
      status: {
        state: 'failed',
        message: { role: 'agent', parts: [{ type: 'text', text: 'not today' }] },
        timestamp: '2025-04-01T00:00:00.000Z',
      },
      artifacts: [
        { index: 0, name: 'one', parts: [{ type: 'text', text: 'x' }] },
        { index: 1, parts: [{ type: 'data', data: { value: 7 }, metadata: { data_part_compat: true } }] },
      ],
      history: [{ role: 'user', parts: [{ type: 'text', text: 'tell me a joke' }] }],
      metadata: { k: 1 },
    },
    model: {
      task: {
        id: 'our-task',
        contextId: 'our-context',
        status: {
          state: 'rejected',
          message: {
            messageId: 'm-9',
            contextId: 'our-context',
            taskId: 'our-task',
            role: 'agent',
            parts: [{ text: 'not today' }],
          },
          timestamp: '2025-04-01T00:00:00.000Z',
        },
        artifacts: [
          { artifactId: 'report', name: 'one', parts: [{ text: 'x' }] },
          { artifactId: 'number', parts: [{ data: 7 }] },
        ],
        history: [{ messageId: 'm-1', contextId: 'our-context', role: 'user', parts: [{ text: 'tell me a joke' }] }],
        metadata: { k: 1 },
      },
    },
  },
  {
    name: 'a message answer becomes a completed task',
    as: 'result',
    operation: 'SendMessage',
    only: 'write',
    options: { taskId: 'client-task', contextId: 'client-session' },
    wire: {
      id: 'client-task',
      sessionId: 'client-session',
      status: { state: 'completed', message: { role: 'agent', parts: [{ type: 'text', text: 'hi' }] } },
    },
    model: { message: { messageId: 'm-9', role: 'agent', parts: [{ text: 'hi' }] } },
  },
  {
    name: 'auth-required reads as input-required; tasks/get is answered so that both older dialects can read it',
    as: 'result',
    operation: 'GetTask',
    only: 'write',
    options: { taskId: 'client-task', contextId: 'client-session' },
    wire: {
      kind: 'task',
      id: 'client-task',
      contextId: 'client-session',
      sessionId: 'client-session',
      status: {
        state: 'input-required',
        message: {
          kind: 'message',
          messageId: 'm-9',
          role: 'agent',
          parts: [{ type: 'text', kind: 'text', text: 'sign in' }],
        },
      },
      artifacts: [{ artifactId: 'idx-3', index: 3, parts: [{ type: 'text', kind: 'text', text: 'x' }] }],
    },
    model: {
      id: 'our-task',
      contextId: 'our-context',
      status: {
        state: 'auth-required',
        message: { messageId: 'm-9', taskId: 'our-task', role: 'agent', parts: [{ text: 'sign in' }] },
      },
      artifacts: [{ artifactId: 'idx-3', parts: [{ text: 'x' }] }],
    },
  },
  {
    name: 'a task of an agent: index becomes artifactId, session becomes context',
    as: 'result',
    operation: 'GetTask',
    only: 'read',
    wire: {
      id: 'task-1',
      sessionId: 's-1',
      status: { state: 'completed', timestamp: '2025-04-02T16:59:25.331844' },
      artifacts: [
        { name: null, parts: [{ type: 'text', text: 'x', metadata: null }], index: 0, append: null, lastChunk: null },
        { parts: [{ type: 'text', text: 'y' }], index: 2 },
      ],
      history: null,
    },
    model: {
      id: 'task-1',
      contextId: 's-1',
      status: { state: 'completed', timestamp: '2025-04-02T16:59:25.331Z' },
      artifacts: [
        { artifactId: 'idx-0', parts: [{ text: 'x' }] },
        { artifactId: 'idx-2', parts: [{ text: 'y' }] },
      ],
    },
  },
  {
    name: 'artifacts of an agent that never sets an index are kept apart',
    as: 'result',
    operation: 'CancelTask',
    only: 'read',
    wire: {
      id: 'task-1',
      status: { state: 'canceled' },
      artifacts: [{ parts: [{ type: 'text', text: 'x' }] }, { parts: [{ type: 'text', text: 'y' }] }],
    },
    model: {
      id: 'task-1',
      status: { state: 'canceled' },
      artifacts: [
        { artifactId: 'idx-0', parts: [{ text: 'x' }] },
        { artifactId: 'idx-1', parts: [{ text: 'y' }] },
      ],
    },
  },
  {
    name: 'a push config answer',
    as: 'result',
    operation: 'GetTaskPushNotificationConfig',
    wire: { id: 'client-task', pushNotificationConfig: { url: 'https://client.example/hook' } },
    model: { taskId: 'client-task', url: 'https://client.example/hook' },
  },
  {
    name: 'a working status',
    as: 'event',
    operation: 'SendStreamingMessage',
    final: false,
    wire: { id: 't', status: { state: 'working' }, final: false },
    model: { statusUpdate: { taskId: 't', status: { state: 'working' } } },
  },
  {
    name: 'auth-required is final for an early client',
    as: 'event',
    operation: 'SendStreamingMessage',
    only: 'write',
    options: { taskId: 'client-task' },
    wire: { id: 'client-task', status: { state: 'input-required' }, final: true },
    model: { statusUpdate: { taskId: 't', contextId: 'c', status: { state: 'auth-required' } } },
  },
  {
    name: 'the flags of a chunk move into the artifact',
    as: 'event',
    operation: 'SendStreamingMessage',
    final: false,
    wire: {
      id: 't',
      artifact: { index: 1, append: true, lastChunk: false, parts: [{ type: 'text', text: 'x' }] },
      metadata: { k: 1 },
    },
    model: {
      artifactUpdate: {
        taskId: 't',
        artifact: { artifactId: 'idx-1', parts: [{ text: 'x' }] },
        append: true,
        lastChunk: false,
        metadata: { k: 1 },
      },
    },
  },
  {
    name: 'a message event becomes a final completed status',
    as: 'event',
    operation: 'SendStreamingMessage',
    only: 'write',
    options: { taskId: 'client-task' },
    wire: {
      id: 'client-task',
      status: { state: 'completed', message: { role: 'agent', parts: [{ type: 'text', text: 'hi' }] } },
      final: true,
    },
    model: { message: { messageId: 'm-9', role: 'agent', parts: [{ text: 'hi' }] } },
  },
  {
    name: 'the first task of a stream becomes a status that is not final',
    as: 'event',
    operation: 'SendStreamingMessage',
    only: 'write',
    options: { taskId: 'client-task' },
    wire: { id: 'client-task', status: { state: 'submitted' }, final: false },
    model: { task: { id: 't', contextId: 'c', status: { state: 'submitted' } } },
  },
];
