import type { Golden } from './golden.ts';
import { userMessage, userModel } from './v1-requests.ts';

export const v1Answers: readonly Golden[] = [
  {
    name: 'a send answered with a task',
    as: 'result',
    operation: 'SendMessage',
    wire: {
      task: {
        id: 'task-1',
        contextId: 'ctx-1',
        status: {
          state: 'TASK_STATE_COMPLETED',
          message: { messageId: 'm-9', role: 'ROLE_AGENT', parts: [{ text: 'done' }] },
          timestamp: '2026-01-02T03:04:05.678Z',
        },
        artifacts: [{ artifactId: 'a-1', name: 'answer', description: 'd', parts: [{ text: 'Sunny.' }] }],
        history: [userMessage],
        metadata: { cost: 3 },
      },
    },
    model: {
      task: {
        id: 'task-1',
        contextId: 'ctx-1',
        status: {
          state: 'completed',
          message: { messageId: 'm-9', role: 'agent', parts: [{ text: 'done' }] },
          timestamp: '2026-01-02T03:04:05.678Z',
        },
        artifacts: [{ artifactId: 'a-1', name: 'answer', description: 'd', parts: [{ text: 'Sunny.' }] }],
        history: [userModel],
        metadata: { cost: 3 },
      },
    },
  },
  {
    name: 'a send answered with a message',
    as: 'result',
    operation: 'SendMessage',
    wire: { message: { messageId: 'm-9', role: 'ROLE_AGENT', parts: [{ text: 'hi' }] } },
    model: { message: { messageId: 'm-9', role: 'agent', parts: [{ text: 'hi' }] } },
  },
  {
    name: 'a bare task',
    as: 'result',
    operation: 'GetTask',
    wire: { id: 'task-1', contextId: 'ctx-1', status: { state: 'TASK_STATE_CANCELED' } },
    model: { id: 'task-1', contextId: 'ctx-1', status: { state: 'canceled' } },
  },
  {
    name: 'an empty list states all four members',
    as: 'result',
    operation: 'ListTasks',
    wire: { tasks: [], nextPageToken: '', pageSize: 50, totalSize: 0 },
    model: { tasks: [], nextPageToken: '', pageSize: 50, totalSize: 0 },
  },
  {
    name: 'a list whose sender left out the proto3 defaults',
    as: 'result',
    operation: 'ListTasks',
    only: 'read',
    wire: { tasks: [{ id: 't', status: { state: 2 } }], pageSize: 50 },
    model: { tasks: [{ id: 't', status: { state: 'working' } }], nextPageToken: '', pageSize: 50, totalSize: 0 },
  },
  {
    name: 'a list of push configs',
    as: 'result',
    operation: 'ListTaskPushNotificationConfigs',
    wire: { configs: [{ taskId: 'task-1', id: 'hook', url: 'https://client.example/hook' }], nextPageToken: '' },
    model: { configs: [{ taskId: 'task-1', id: 'hook', url: 'https://client.example/hook' }], nextPageToken: '' },
  },
  {
    name: 'a delete answers null',
    as: 'result',
    operation: 'DeleteTaskPushNotificationConfig',
    wire: null,
    model: null,
  },
  {
    name: 'a delete answered with an empty message',
    as: 'result',
    operation: 'DeleteTaskPushNotificationConfig',
    only: 'read',
    wire: {},
    model: null,
  },
  {
    name: 'a status update has neither kind nor final',
    as: 'event',
    operation: 'SendStreamingMessage',
    final: false,
    wire: { statusUpdate: { taskId: 'task-1', contextId: 'ctx-1', status: { state: 'TASK_STATE_AUTH_REQUIRED' } } },
    model: { statusUpdate: { taskId: 'task-1', contextId: 'ctx-1', status: { state: 'auth-required' } } },
  },
  {
    name: 'a terminal status update is the last event',
    as: 'event',
    operation: 'SendStreamingMessage',
    final: true,
    wire: { statusUpdate: { taskId: 'task-1', contextId: 'ctx-1', status: { state: 'TASK_STATE_REJECTED' } } },
    model: { statusUpdate: { taskId: 'task-1', contextId: 'ctx-1', status: { state: 'rejected' } } },
  },
  {
    name: 'an artifact chunk',
    as: 'event',
    operation: 'SendStreamingMessage',
    final: false,
    wire: {
      artifactUpdate: {
        taskId: 'task-1',
        contextId: 'ctx-1',
        artifact: { artifactId: 'a-1', parts: [{ text: 'Sun' }] },
        append: true,
        lastChunk: true,
      },
    },
    model: {
      artifactUpdate: {
        taskId: 'task-1',
        contextId: 'ctx-1',
        artifact: { artifactId: 'a-1', parts: [{ text: 'Sun' }] },
        append: true,
        lastChunk: true,
      },
    },
  },
  {
    name: 'false flags are left out',
    as: 'event',
    operation: 'SendStreamingMessage',
    only: 'write',
    wire: { artifactUpdate: { taskId: 't', contextId: 'c', artifact: { artifactId: 'a', parts: [{ text: '' }] } } },
    model: {
      artifactUpdate: {
        taskId: 't',
        contextId: 'c',
        artifact: { artifactId: 'a', parts: [{ text: '' }] },
        append: false,
        lastChunk: false,
      },
    },
  },
  {
    name: 'a message is the only event',
    as: 'event',
    operation: 'SendStreamingMessage',
    final: true,
    wire: { message: { messageId: 'm-9', role: 'ROLE_AGENT', parts: [{ text: 'hi' }] } },
    model: { message: { messageId: 'm-9', role: 'agent', parts: [{ text: 'hi' }] } },
  },
];
