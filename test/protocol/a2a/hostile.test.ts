import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RollcallError } from '../../../src/errors.ts';
import { DIALECTS } from '../../../src/protocol/a2a/dialects/index.ts';
import { OPERATION_NAMES, OPERATIONS } from '../../../src/protocol/a2a/methods.ts';
import type { UnaryOperation } from '../../../src/protocol/a2a/requests.ts';
import * as any from './arbitraries.ts';

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'none';
  } catch (thrown) {
    if (thrown instanceof RollcallError) return thrown.code;
    throw thrown;
  }
};

/** Any JSON, and real requests and answers with one member replaced by any JSON. */
const NAMES = [
  ...[
    'id',
    'message',
    'parts',
    'role',
    'kind',
    'type',
    'text',
    'data',
    'raw',
    'file',
    'bytes',
    'uri',
    'status',
    'state',
  ],
  ...['artifact', 'artifacts', 'history', 'metadata', 'taskId', 'contextId', 'configuration', 'task', 'statusUpdate'],
  ...[
    'pushNotificationConfig',
    'authentication',
    'schemes',
    'timestamp',
    'index',
    'content',
    '__proto__',
    'constructor',
  ],
];
const hostile = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, '', 'text', 'ROLE_USER', 'user', 'working', 'TASK_STATE_WORKING'),
    fc.string(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES), tie('value')), { maxLength: 6 })
      .map((entries) => JSON.parse(`{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}`)),
  ),
})).value;

const damaged = fc
  .tuple(fc.oneof(any.sendRequest, any.task, any.streamEvent, any.pushConfig), fc.nat(), hostile)
  .map(([value, seed, replacement]) => {
    const copy = JSON.parse(JSON.stringify(value)) as object;
    const places: [Record<string, unknown>, string][] = [];
    const walk = (at: unknown): void => {
      if (typeof at !== 'object' || at === null) return;
      for (const key of Object.keys(at)) {
        places.push([at as Record<string, unknown>, key]);
        walk((at as Record<string, unknown>)[key]);
      }
    };
    walk(copy);
    const place = places[seed % places.length];
    if (place) place[0][place[1]] = replacement;
    return copy as unknown;
  });

for (const dialect of Object.values(DIALECTS)) {
  describe(`dialect ${dialect.name} on hostile JSON`, () => {
    it('readers throw nothing but RollcallError, and blame the right side', () => {
      fc.assert(
        fc.property(fc.oneof(hostile, damaged), (value) => {
          for (const operation of OPERATION_NAMES) {
            const request = codeOf(() => dialect.readRequest(operation, value));
            expect(['none', 'INVALID_INPUT', 'UNSUPPORTED_OPERATION']).toContain(request);
            if (OPERATIONS[operation].streaming) continue;
            const result = codeOf(() => dialect.readResult(operation as UnaryOperation, value));
            expect(['none', 'UPSTREAM_INVALID', 'UNSUPPORTED_OPERATION']).toContain(result);
          }
          expect(['none', 'UPSTREAM_INVALID']).toContain(codeOf(() => dialect.readStreamEvent(value)));
        }),
        { numRuns: 300 },
      );
    });

    it('what a reader accepts, every dialect can write', () => {
      fc.assert(
        fc.property(fc.oneof(hostile, damaged), (value) => {
          if (codeOf(() => dialect.readStreamEvent(value)) !== 'none') return;
          const { event } = dialect.readStreamEvent(value);
          for (const other of Object.values(DIALECTS)) {
            for (const frame of other.writeStreamEvent('SendStreamingMessage', event)) {
              expect(JSON.stringify(frame)).toBeTypeOf('string');
            }
          }
        }),
        { numRuns: 300 },
      );
    });

    it('refuses JSON that nests too deep, without overflowing', () => {
      const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown;
      expect(codeOf(() => dialect.readRequest('SendMessage', { id: 'a', message: { metadata: { deep } } }))).toBe(
        'INVALID_INPUT',
      );
      expect(codeOf(() => dialect.readStreamEvent({ id: 'a', status: { state: 'working' }, metadata: { deep } }))).toBe(
        'UPSTREAM_INVALID',
      );
    });

    it('does not let a member called __proto__ become a prototype', () => {
      const value = JSON.parse('{"id":"t","taskId":"t","__proto__":{"polluted":true}}') as unknown;
      const read = dialect.readRequest('CancelTask', value);
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
      expect((read as { polluted?: unknown }).polluted).toBeUndefined();
    });
  });
}
