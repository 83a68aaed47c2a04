import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CreateTaskRequest,
  GetTaskRequest,
  GetTaskResponse,
} from '../../../src/protocol/flyte/generated/flyteidl/admin/agent.ts';
import { pinMeta, unpinMeta } from '../../../src/protocol/flyte/pinned-meta.ts';
import {
  createTaskView,
  jobView,
  phaseOf,
  withJobMeta,
  withMessage,
} from '../../../src/protocol/flyte/routing-views.ts';
import { sparse } from '../../../src/protocol/flyte/wire.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each));
const encoded = (finished: Uint8Array): Buffer => Buffer.from(finished);

describe('sparse', () => {
  it('reads of any request what the whole decoder reads', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string({ minLength: 1 }),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        bytes,
        (taskType, name, version, resourceMeta) => {
          const request = encoded(
            GetTaskRequest.encode(
              GetTaskRequest.fromPartial({ taskType, resourceMeta, taskCategory: { name, version } }),
            ).finish(),
          );
          expect(jobView(request, 3)).toEqual({ category: { name, version }, resourceMeta });
        },
      ),
    );
  });

  it('throws INVALID_INPUT or reads, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (any) => {
        try {
          sparse(any).message(1)?.message(1);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_INPUT' });
        }
      }),
    );
  });

  it('merges a message that comes in parts, as decoders do', () => {
    const part = (template: { type?: string; taskTypeVersion?: number }): Buffer =>
      encoded(CreateTaskRequest.encode(CreateTaskRequest.fromPartial({ template })).finish());
    const request = Buffer.concat([part({ type: 'spark' }), part({ taskTypeVersion: 2 })]);
    expect(createTaskView(request).category).toEqual({ name: 'spark', version: 2 });
  });
});

describe('the execution key', () => {
  const keyOf = (run: string, retryAttempt: number): string | undefined =>
    createTaskView(
      encoded(
        CreateTaskRequest.encode(
          CreateTaskRequest.fromPartial({
            template: { type: 'spark' },
            taskExecutionMetadata: {
              taskExecutionId: { retryAttempt, nodeExecutionId: { nodeId: 'n0', executionId: { name: run } } },
            },
          }),
        ).finish(),
      ),
    ).executionKey;

  it('tells runs and attempts apart, and is the same for the same attempt', () => {
    expect(keyOf('r1', 0)).toBe(keyOf('r1', 0));
    expect(new Set([keyOf('r1', 0), keyOf('r1', 1), keyOf('r2', 0)]).size).toBe(3);
  });

  it('is absent when the request names no run', () => {
    expect(keyOf('', 3)).toBeUndefined();
  });
});

describe('pinMeta', () => {
  it('gives back what went in', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), bytes, (deploymentId, meta) => {
        expect(unpinMeta(pinMeta({ deploymentId, meta }))).toEqual({ deploymentId, meta });
      }),
    );
  });

  it('takes nothing for a pin that an agent may have made: text, JSON, a cut-off pin', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(unpinMeta(Buffer.from(text))).toBeUndefined();
      }),
    );
    const pin = pinMeta({ deploymentId: 'abc', meta: Buffer.alloc(0) });
    for (let length = 0; length < pin.length; length++) expect(unpinMeta(pin.subarray(0, length))).toBeUndefined();
  });

  it('refuses an id that does not fit', () => {
    expect(() => pinMeta({ deploymentId: 'x'.repeat(256), meta: Buffer.alloc(0) })).toThrow(RangeError);
  });
});

describe('changed messages', () => {
  it('have the new resource_meta and the old rest', () => {
    fc.assert(
      fc.property(bytes, bytes, (old, meta) => {
        const request = GetTaskRequest.fromPartial({
          resourceMeta: old,
          taskCategory: { name: 'spark' },
          outputPrefix: 's3://x',
        });
        const changed = withJobMeta(encoded(GetTaskRequest.encode(request).finish()), meta);
        expect(GetTaskRequest.decode(changed)).toMatchObject({ ...request, resourceMeta: meta });
      }),
    );
  });

  it('have the new message, each log link once, and the old rest', () => {
    const unknown = Buffer.from([0xfa, 0x7c, 0x03, 0x66, 0x6f, 0x6f]);
    const resource = { phase: 2 as const, message: 'old', logLinks: [{ uri: 'http://logs.example/1' }] };
    const response = encoded(GetTaskResponse.encode(GetTaskResponse.fromPartial({ resource })).finish());
    const changed = withMessage(Buffer.concat([unknown, response, unknown]), 'new');
    const decoded = GetTaskResponse.decode(changed);
    expect(decoded.resource).toMatchObject({ phase: 2, message: 'new' });
    expect(decoded.resource?.logLinks.map(({ uri }) => uri)).toEqual(['http://logs.example/1']);
    expect(Object.values(decoded._unknownFields ?? {})[0]).toHaveLength(2);
    expect(phaseOf(changed)).toBe(2);
  });
});
