import * as sdk from '@a2a-js/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { v1 } from '../../../src/protocol/a2a/dialects/v1.ts';
import * as any from './arbitraries.ts';
import { v1 as goldens } from './golden/v1.ts';

/** The reference SDK's own ProtoJSON codecs: what it keeps of our JSON, and what it writes, must mean the same to us. */
interface SdkCodec {
  fromJSON(json: never): unknown;
  toJSON(message: never): unknown;
}
const through = (codec: unknown, json: unknown): unknown => {
  const { fromJSON, toJSON } = codec as SdkCodec;
  const text = JSON.parse(JSON.stringify(json)) as never;
  return JSON.parse(JSON.stringify(toJSON.call(codec, fromJSON.call(codec, text) as never)));
};

/** proto3 does not tell an empty string or list, or false, from an absent one; and this SDK takes `data: null` for absent. */
const SINGULAR = new Set(['name', 'description', 'filename', 'mediaType', 'append', 'lastChunk', 'returnImmediately']);
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== undefined && !(SINGULAR.has(key) && (inner === '' || inner === false)))
      // Whatever is below these is the caller's own, and kept as it is.
      .map(([key, inner]) => [key, key === 'metadata' || key === 'data' ? inner : normal(inner)]),
  );
}
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const hasNullData = (value: unknown): boolean => JSON.stringify(value).includes('"data":null');

describe('1.0 beside the reference SDK', () => {
  it('tasks', () => {
    fc.assert(
      fc.property(any.task, (task) => {
        fc.pre(!hasNullData(task) && task.status.state !== 'unknown');
        const wire = v1.writeResult('GetTask', task);
        const back = through(sdk.Task, wire);
        expect(back).toEqual(normal(json(wire)));
        expect(v1.readResult('GetTask', back)).toEqual(normal(json(task)));
      }),
    );
  });

  it('sends', () => {
    fc.assert(
      fc.property(any.sendRequest, (request) => {
        fc.pre(!hasNullData(request));
        const wire = v1.writeRequest('SendMessage', request);
        const back = through(sdk.SendMessageRequest, wire);
        expect(back).toEqual(normal(json(wire)));
        expect(v1.readRequest('SendMessage', back)).toEqual(normal(json(request)));
      }),
    );
  });

  it('stream events', () => {
    fc.assert(
      fc.property(any.streamEvent, (event) => {
        const state = event.statusUpdate?.status.state ?? event.task?.status.state;
        fc.pre(!hasNullData(event) && state !== 'unknown');
        const [wire] = v1.writeStreamEvent('SendStreamingMessage', event);
        const back = through(sdk.StreamResponse, wire);
        expect(back).toEqual(normal(json(wire)));
        expect(v1.readStreamEvent(back).event).toEqual(normal(json(event)));
      }),
    );
  });

  it('push configs', () => {
    fc.assert(
      fc.property(any.pushConfig, (config) => {
        const wire = v1.writeRequest('CreateTaskPushNotificationConfig', config);
        expect(through(sdk.TaskPushNotificationConfig, wire)).toEqual(json(wire));
      }),
    );
  });

  it('lists', () => {
    const wire = v1.writeResult('ListTasks', {
      tasks: [{ id: 't', contextId: 'c', status: { state: 'working' } }],
      nextPageToken: 'n',
      pageSize: 50,
      totalSize: 51,
    });
    expect(through(sdk.ListTasksResponse, wire)).toEqual(wire);
    const request = goldens.find(({ operation, only }) => operation === 'ListTasks' && only === undefined)?.wire;
    expect(request).toBeDefined();
    expect(through(sdk.ListTasksRequest, request)).toEqual(request);
  });
});
