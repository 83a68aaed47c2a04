import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_SHAPES, type ErrorCode, RollcallError } from '../../../src/errors.ts';
import { early } from '../../../src/protocol/a2a/dialects/early.ts';
import { v1 } from '../../../src/protocol/a2a/dialects/v1.ts';
import { v03 } from '../../../src/protocol/a2a/dialects/v03.ts';
import { errorEnvelope, requestEnvelope, resultEnvelope } from '../../../src/protocol/a2a/jsonrpc.ts';
import { OPERATIONS } from '../../../src/protocol/a2a/methods.ts';
import type { StreamEvent } from '../../../src/protocol/a2a/model.ts';
import type { Operation, RequestOf, ResultOf, UnaryOperation } from '../../../src/protocol/a2a/requests.ts';
import { oracle, schemasPresent } from '../../support/published-schemas.ts';
import * as any from './arbitraries.ts';
import { early as earlyGoldens } from './golden/early.ts';
import { v03 as v03Goldens } from './golden/v03.ts';

const present = schemasPresent();

/** Members of every version, with values that no version would give them, on every object of an event. */
const STRAY = ['kind', 'type', 'sessionId', 'index', 'append', 'lastChunk', 'final', 'contextId', 'messageId', 'file'];
function withStrays(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withStrays);
  if (typeof value !== 'object' || value === null) return value;
  const strays = Object.fromEntries(STRAY.map((name) => [name, { stray: true }]));
  const own = Object.entries(value).map(([key, inner]) => [
    key,
    key === 'metadata' || key === 'data' ? inner : withStrays(inner),
  ]);
  return { ...strays, ...Object.fromEntries(own) };
}
/** The event as our 1.0 reader takes it from an agent that adds such members. */
function readWithStrays(event: StreamEvent): StreamEvent | undefined {
  try {
    const [wire] = v1.writeStreamEvent('SendStreamingMessage', event);
    const [[name, inner]] = Object.entries(wire as object) as [[string, unknown]];
    return v1.readStreamEvent({ [name]: withStrays(inner) }).event;
  } catch (thrown) {
    // Where 1.0 itself has the member, its value is refused.
    if (thrown instanceof RollcallError && thrown.code === 'UPSTREAM_INVALID') return undefined;
    throw thrown;
  }
}

const CODES = Object.keys(ERROR_SHAPES) as ErrorCode[];

describe.skipIf(!present)('what we say in 0.3 validates against the schemas of 0.3.0 and 0.2.5', () => {
  const schemas = present ? [oracle('a2a-0.3.0.json'), oracle('a2a-0.2.5.json')] : [];
  const valid = (name: string, value: unknown): void => {
    for (const schema of schemas) schema(name, value);
  };
  const answer = <O extends UnaryOperation>(operation: O, result: ResultOf[O]) =>
    resultEnvelope('r-1', v03.writeResult(operation, result));
  const request = <O extends Operation>(operation: O, params: RequestOf[O]) =>
    requestEnvelope(7, OPERATIONS[operation].jsonRpc['0.3'] as string, v03.writeRequest(operation, params));

  it('answers', () => {
    fc.assert(
      fc.property(any.sendResult, any.task, any.pushConfig, (result, task, config) => {
        valid('SendMessageSuccessResponse', answer('SendMessage', result));
        valid('GetTaskSuccessResponse', answer('GetTask', task));
        valid('CancelTaskSuccessResponse', answer('CancelTask', task));
        valid('SetTaskPushNotificationConfigSuccessResponse', answer('CreateTaskPushNotificationConfig', config));
        valid('GetTaskPushNotificationConfigSuccessResponse', answer('GetTaskPushNotificationConfig', config));
        valid(
          'ListTaskPushNotificationConfigSuccessResponse',
          answer('ListTaskPushNotificationConfigs', { configs: [config], nextPageToken: '' }),
        );
        valid('DeleteTaskPushNotificationConfigSuccessResponse', answer('DeleteTaskPushNotificationConfig', null));
      }),
    );
  });

  it('stream events, and the webhook body is a task', () => {
    fc.assert(
      fc.property(any.streamEvent, any.task, (event, task) => {
        for (const operation of ['SendStreamingMessage', 'SubscribeToTask'] as const) {
          for (const frame of v03.writeStreamEvent(operation, event)) {
            valid('SendStreamingMessageSuccessResponse', resultEnvelope(1, frame));
          }
        }
        valid(
          'Task',
          v03.writeWebhook(event, () => task),
        );
      }),
    );
  });

  it('stream events of an agent whose extensions are named like members of other versions', () => {
    let read = 0;
    fc.assert(
      fc.property(any.streamEvent, (event) => {
        const strayed = readWithStrays(event);
        if (strayed === undefined) return;
        read++;
        for (const frame of v03.writeStreamEvent('SubscribeToTask', strayed))
          valid('SendStreamingMessageSuccessResponse', resultEnvelope('r', frame));
      }),
    );
    expect(read).toBeGreaterThan(5);
  });

  it('requests to agents', () => {
    fc.assert(
      fc.property(any.sendRequest, any.pushConfig, any.id, (send, config, id) => {
        valid('SendMessageRequest', request('SendMessage', send));
        valid('SendStreamingMessageRequest', request('SendStreamingMessage', send));
        valid('GetTaskRequest', request('GetTask', { id, historyLength: 3 }));
        valid('CancelTaskRequest', request('CancelTask', { id }));
        valid('TaskResubscriptionRequest', request('SubscribeToTask', { id }));
        valid('SetTaskPushNotificationConfigRequest', request('CreateTaskPushNotificationConfig', config));
        const push = { taskId: id, id: 'hook' };
        valid('GetTaskPushNotificationConfigRequest', request('GetTaskPushNotificationConfig', push));
        valid('DeleteTaskPushNotificationConfigRequest', request('DeleteTaskPushNotificationConfig', push));
        valid('ListTaskPushNotificationConfigRequest', request('ListTaskPushNotificationConfigs', { taskId: id }));
        schemas[0]?.('GetAuthenticatedExtendedCardRequest', request('GetExtendedAgentCard', {}));
      }),
    );
  });

  it('every error', () => {
    for (const code of CODES) {
      const error = new RollcallError(code, 'what and why', { field: 'message.parts', details: { id: 'x' } });
      valid('JSONRPCErrorResponse', errorEnvelope(null, error, '0.3'));
    }
  });

  it('the golden vectors themselves', () => {
    for (const golden of v03Goldens) {
      if (golden.as === 'event') valid('SendStreamingMessageSuccessResponse', resultEnvelope(1, golden.wire));
      if (golden.as === 'request' && golden.operation === 'SendMessage') schemas[0]?.('MessageSendParams', golden.wire);
      if (golden.as === 'result' && golden.operation === 'SendMessage') {
        valid('SendMessageSuccessResponse', resultEnvelope(1, golden.wire));
      }
    }
  });
});

describe.skipIf(!present)('what we say in the early era validates against the schema of 0.1.0', () => {
  const valid = present ? oracle('a2a-0.1.0.json') : () => undefined;
  const later = present ? oracle('a2a-0.3.0.json') : () => undefined;
  const mine = { taskId: 'client-task', contextId: 'client-session' };
  const request = <O extends Operation>(operation: O, params: RequestOf[O]) =>
    requestEnvelope('r', OPERATIONS[operation].jsonRpc.early as string, early.writeRequest(operation, params));

  it('answers', () => {
    fc.assert(
      fc.property(any.sendResult, any.task, any.pushConfig, (result, task, config) => {
        valid('SendTaskResponse', resultEnvelope('r', early.writeResult('SendMessage', result, mine)));
        const asked = early.writeResult('GetTask', task, mine);
        valid('GetTaskResponse', resultEnvelope('r', asked));
        valid(
          'Task',
          early.writeWebhook({ task }, () => task, mine),
        );
        const push = early.writeResult('GetTaskPushNotificationConfig', config, mine);
        valid('GetTaskPushNotificationResponse', resultEnvelope(1, push));
        // The three methods that 0.3 shares are answered for both.
        later('Task', asked);
        valid('Task', v03.writeResult('CancelTask', { ...task, status: { state: 'working' } }));
      }),
    );
  });

  it('stream events', () => {
    fc.assert(
      fc.property(any.streamEvent, (event) => {
        for (const frame of early.writeStreamEvent('SendStreamingMessage', event, mine)) {
          valid('SendTaskStreamingResponse', resultEnvelope('r', frame));
        }
        for (const frame of early.writeStreamEvent('SubscribeToTask', event, mine)) {
          valid('SendTaskStreamingResponse', resultEnvelope('r', frame));
          later('SendStreamingMessageSuccessResponse', resultEnvelope('r', frame));
        }
      }),
    );
  });

  it('stream events of an agent whose extensions are named like members of other versions', () => {
    let read = 0;
    fc.assert(
      fc.property(any.streamEvent, (event) => {
        const strayed = readWithStrays(event);
        if (strayed === undefined) return;
        read++;
        for (const frame of early.writeStreamEvent('SendStreamingMessage', strayed, mine))
          valid('SendTaskStreamingResponse', resultEnvelope('r', frame));
      }),
    );
    expect(read).toBeGreaterThan(5);
  });

  it('requests to agents', () => {
    fc.assert(
      fc.property(any.sendRequest, any.pushConfig, any.id, (send, config, id) => {
        valid('SendTaskRequest', request('SendMessage', send));
        valid('SendTaskStreamingRequest', request('SendStreamingMessage', { ...send, clientIds: { taskId: id } }));
        valid('GetTaskRequest', request('GetTask', { id, historyLength: 1 }));
        valid('CancelTaskRequest', request('CancelTask', { id }));
        valid('TaskResubscriptionRequest', request('SubscribeToTask', { id }));
        valid('SetTaskPushNotificationRequest', request('CreateTaskPushNotificationConfig', config));
        valid('GetTaskPushNotificationRequest', request('GetTaskPushNotificationConfig', { taskId: id }));
      }),
    );
  });

  it('every error under an id', () => {
    for (const code of CODES) {
      const error = new RollcallError(code, 'what and why', { field: 'message.parts' });
      valid('SendTaskResponse', errorEnvelope('r', error, 'early'));
    }
  });

  it('the golden vectors themselves', () => {
    for (const golden of earlyGoldens) {
      if (golden.as === 'event') valid('SendTaskStreamingResponse', resultEnvelope('r', golden.wire));
      if (golden.as === 'request' && golden.operation === 'SendMessage') valid('TaskSendParams', golden.wire);
      if (golden.as === 'result' && golden.only === 'write') valid('Task', golden.wire);
    }
  });
});
