import type { Golden } from './golden.ts';

/** 0.3's HTTP+JSON binding: the JSON form of its protobuf (package a2a.v1), with path and query merged into requests. */
export const v03Rest: readonly Golden[] = [
  {
    name: 'a send: parts are called content, files and data are wrapped',
    as: 'request',
    operation: 'SendMessage',
    wire: {
      message: {
        messageId: 'm-1',
        contextId: 'ctx-1',
        role: 'ROLE_USER',
        content: [
          { text: 'see' },
          { file: { fileWithBytes: 'aGVsbG8=', mimeType: 'text/plain' } },
          { file: { fileWithUri: 'https://files.example/a.png' } },
          { data: { data: { a: 1 } } },
        ],
        metadata: { k: 1 },
      },
      configuration: {
        acceptedOutputModes: ['text/plain'],
        pushNotification: { url: 'https://client.example/hook', authentication: { schemes: ['Bearer'] } },
        historyLength: 4,
        blocking: true,
      },
    },
    model: {
      message: {
        messageId: 'm-1',
        contextId: 'ctx-1',
        role: 'user',
        parts: [
          { text: 'see' },
          { raw: 'aGVsbG8=', mediaType: 'text/plain' },
          { url: 'https://files.example/a.png' },
          { data: { a: 1 } },
        ],
        metadata: { k: 1 },
      },
      configuration: {
        acceptedOutputModes: ['text/plain'],
        taskPushNotificationConfig: { url: 'https://client.example/hook', authentication: { scheme: 'Bearer' } },
        historyLength: 4,
        returnImmediately: false,
      },
    },
  },
  {
    name: 'a push config is named by its resource',
    as: 'result',
    operation: 'GetTaskPushNotificationConfig',
    wire: {
      name: 'tasks/task-1/pushNotificationConfigs/hook',
      pushNotificationConfig: { id: 'hook', url: 'https://client.example/hook' },
    },
    model: { taskId: 'task-1', id: 'hook', url: 'https://client.example/hook' },
  },
  {
    name: 'cancelled has two Ls',
    as: 'result',
    operation: 'CancelTask',
    wire: { id: 'task-1', contextId: 'ctx-1', status: { state: 'TASK_STATE_CANCELLED' } },
    model: { id: 'task-1', contextId: 'ctx-1', status: { state: 'canceled' } },
  },
  {
    name: 'a status update has a final flag, left out when false',
    as: 'event',
    operation: 'SendStreamingMessage',
    final: true,
    wire: { statusUpdate: { taskId: 't', contextId: 'c', status: { state: 'TASK_STATE_COMPLETED' }, final: true } },
    model: { statusUpdate: { taskId: 't', contextId: 'c', status: { state: 'completed' } } },
  },
  {
    name: 'a message event',
    as: 'event',
    operation: 'SendStreamingMessage',
    final: true,
    wire: { message: { messageId: 'm', role: 'ROLE_AGENT', content: [{ text: 'hi' }] } },
    model: { message: { messageId: 'm', role: 'agent', parts: [{ text: 'hi' }] } },
  },
];
