import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArtifactIndexes } from '../../../src/protocol/a2a/artifact-indexes.ts';
import { early } from '../../../src/protocol/a2a/dialects/early.ts';
import { v1 } from '../../../src/protocol/a2a/dialects/v1.ts';
import { v03 } from '../../../src/protocol/a2a/dialects/v03.ts';
import { v03Rest } from '../../../src/protocol/a2a/dialects/v03-rest.ts';
import type { ArtifactUpdate, Message, Part, Task } from '../../../src/protocol/a2a/model.ts';
import * as any from './arbitraries.ts';

/** Through JSON text, as on a real wire. */
const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** 1.0 and 0.3 leave false flags out, or make them explicit: both mean the same. */
const withoutFalseFlags = <T>(event: T): T => {
  const update = (event as { artifactUpdate?: ArtifactUpdate }).artifactUpdate;
  if (update === undefined) return event;
  const { append, lastChunk, ...rest } = update;
  const flags = { ...(append ? { append } : {}), ...(lastChunk ? { lastChunk } : {}) };
  return { artifactUpdate: { ...rest, ...flags } } as T;
};

for (const dialect of [v1, v03]) {
  describe(`model → ${dialect.name} → model`, () => {
    it('keeps every send', () => {
      fc.assert(
        fc.property(any.sendRequest, (request) => {
          const wire = overTheWire(dialect.writeRequest('SendMessage', request));
          const read = dialect.readRequest('SendMessage', wire);
          const { configuration, ...rest } = plain(request);
          // 0.3 always says whether it waits, as its servers differ about the default.
          const waits = dialect === v03 ? { returnImmediately: false } : {};
          expect(read).toEqual(
            configuration === undefined ? rest : { ...rest, configuration: { ...waits, ...configuration } },
          );
        }),
      );
    });

    it('keeps every answer to a send', () => {
      fc.assert(
        fc.property(any.sendResult, (result) => {
          const wire = overTheWire(dialect.writeResult('SendMessage', result));
          expect(dialect.readResult('SendMessage', wire)).toEqual(plain(result));
        }),
      );
    });

    it('keeps every task that is asked for', () => {
      fc.assert(
        fc.property(any.task, (task) => {
          const wire = overTheWire(dialect.writeResult('GetTask', task)) as Record<string, unknown>;
          // Members for early clients are extensions to a reader of 0.3.
          delete wire.sessionId;
          const read = dialect.readResult('GetTask', wire) as Task;
          const artifacts = read.artifacts?.map((artifact) => {
            const { index: _, ...rest } = artifact as typeof artifact & { index?: unknown };
            return rest;
          });
          expect(artifacts === undefined ? read : { ...read, artifacts }).toEqual(plain(task));
        }),
      );
    });

    it('keeps every stream event', () => {
      fc.assert(
        fc.property(any.streamEvent, (event) => {
          const [wire, ...more] = dialect.writeStreamEvent('SendStreamingMessage', event);
          expect(more).toEqual([]);
          const { event: read } = dialect.readStreamEvent(overTheWire(wire));
          expect(withoutFalseFlags(read)).toEqual(withoutFalseFlags(plain(event)));
        }),
      );
    });

    it('keeps every push config', () => {
      fc.assert(
        fc.property(any.pushConfig, (config) => {
          const wire = overTheWire(dialect.writeRequest('CreateTaskPushNotificationConfig', config));
          expect(dialect.readRequest('CreateTaskPushNotificationConfig', wire)).toEqual(plain(config));
          const listed = overTheWire(
            dialect.writeResult('ListTaskPushNotificationConfigs', { configs: [config], nextPageToken: '' }),
          );
          expect(dialect.readResult('ListTaskPushNotificationConfigs', listed)).toEqual({
            configs: [plain(config)],
            nextPageToken: '',
          });
        }),
      );
    });

    it('keeps members that it does not know', () => {
      fc.assert(
        fc.property(any.message, fc.jsonValue(), (message, value) => {
          const extended = { ...message, 'x-priority': value };
          const wire = overTheWire(dialect.writeRequest('SendMessage', { message: extended }));
          expect(dialect.readRequest('SendMessage', wire).message).toEqual(plain(extended));
        }),
      );
    });
  });
}

/** What 0.3's protobuf has no room for. */
const restPart = (part: Part): Part => {
  const { metadata: _, filename: __, ...rest } = part;
  if ('data' in rest && rest.data !== undefined) {
    const { data } = rest;
    return { data: typeof data === 'object' && data !== null && !Array.isArray(data) ? data : { value: data } };
  }
  return rest.text === undefined ? (rest as Part) : { text: rest.text };
};
const restMessage = ({ referenceTaskIds: _, ...message }: Message): Message => ({
  ...message,
  parts: message.parts.map(restPart),
});
const restTask = (task: Task): Task => ({
  ...task,
  status: {
    ...task.status,
    ...(task.status.message === undefined ? {} : { message: restMessage(task.status.message) }),
  },
  ...(task.artifacts === undefined
    ? {}
    : { artifacts: task.artifacts.map((a) => ({ ...a, parts: a.parts.map(restPart) })) }),
  ...(task.history === undefined ? {} : { history: task.history.map(restMessage) }),
});

describe('model → 0.3-rest → model', () => {
  it('keeps tasks, except for what a2a.v1 has no room for', () => {
    fc.assert(
      fc.property(any.task, (task) => {
        const wire = overTheWire(v03Rest.writeResult('GetTask', task));
        expect(v03Rest.readResult('GetTask', wire)).toEqual(plain(restTask(task)));
      }),
    );
  });
});

/** What an early agent can tell of a part: everything but nothing more. */
const earlyStates = { rejected: 'failed', 'auth-required': 'input-required' } as Record<string, string>;
const content = (message: Message): unknown => ({
  role: message.role,
  parts: message.parts,
  ...(message.metadata === undefined ? {} : { metadata: message.metadata }),
});

describe('model → early → model', () => {
  it('keeps the content of tasks: states, parts, artifacts by their number, history in order', () => {
    fc.assert(
      fc.property(any.task, (task) => {
        const wire = overTheWire(early.writeResult('SendMessage', { task }));
        const { task: read } = early.readResult('SendMessage', wire);
        const expected = plain(task);
        expect(read?.id).toBe(expected.id);
        expect(read?.contextId).toBe(expected.contextId);
        expect(read?.status.state).toBe(earlyStates[expected.status.state] ?? expected.status.state);
        expect(read?.status.timestamp).toBe(expected.status.timestamp);
        expect(read?.history?.map(content)).toEqual(expected.history?.map(content));
        expect(new Set(read?.history?.map((entry) => entry.messageId)).size).toBe(expected.history?.length ?? 0);
        const indexes = new ArtifactIndexes(expected.artifacts?.map((a) => a.artifactId));
        expect(read?.artifacts).toEqual(
          expected.artifacts?.map(({ extensions: _, ...rest }) => ({
            ...rest,
            artifactId: `idx-${indexes.of(rest.artifactId)}`,
          })),
        );
      }),
    );
  });

  it('keeps the content of sends, and the ids of the client', () => {
    fc.assert(
      fc.property(any.sendRequest, any.id, fc.option(any.id, { nil: undefined }), (request, taskId, contextId) => {
        const clientIds = contextId === undefined ? { taskId } : { taskId, contextId };
        const { contextId: _, taskId: __, ...message } = request.message;
        const wire = overTheWire(early.writeRequest('SendMessage', { ...request, message, clientIds }));
        const read = early.readRequest('SendMessage', wire, { newId: () => 'made' });
        expect(read.clientIds).toEqual(clientIds);
        expect(read.message).toEqual({ ...(content(plain(message)) as object), messageId: 'made' });
        expect(read.metadata).toEqual(plain(request).metadata);
        expect(read.configuration?.historyLength).toEqual(request.configuration?.historyLength);
      }),
    );
  });

  it('says a whole task in a stream by its artifacts, then its status', () => {
    fc.assert(
      fc.property(any.task, (task) => {
        const frames = early.writeStreamEvent('SendStreamingMessage', { task }, { taskId: 'mine' });
        expect(frames).toHaveLength((task.artifacts?.length ?? 0) + 1);
        const events = frames.map((frame) => early.readStreamEvent(overTheWire(frame)).event);
        const last = events.pop();
        expect(last?.statusUpdate?.taskId).toBe('mine');
        expect(events.map((event) => event.artifactUpdate?.lastChunk)).toEqual(events.map(() => true));
        const parts = events.map((event) => event.artifactUpdate?.artifact.parts);
        expect(parts).toEqual(plain(task.artifacts ?? []).map((artifact) => artifact.parts));
      }),
    );
  });
});
