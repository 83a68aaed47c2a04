import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_SHAPES, type ErrorCode, invalid, RollcallError } from '../../../src/errors.ts';
import { toHttpError, toJsonRpcError, toRpcStatus } from '../../../src/protocol/a2a/errors.ts';
import { fromHttpError, fromJsonRpcError, fromRpcStatus } from '../../../src/protocol/a2a/upstream-errors.ts';

const CODES = Object.keys(ERROR_SHAPES) as ErrorCode[];

/** Specification 1.0.1 §5.4. */
const TABLE: readonly [ErrorCode, number, string, number, string][] = [
  ['TASK_NOT_FOUND', -32001, 'NOT_FOUND', 404, 'TASK_NOT_FOUND'],
  ['TASK_NOT_CANCELABLE', -32002, 'FAILED_PRECONDITION', 400, 'TASK_NOT_CANCELABLE'],
  ['PUSH_NOT_SUPPORTED', -32003, 'FAILED_PRECONDITION', 400, 'PUSH_NOTIFICATION_NOT_SUPPORTED'],
  ['UNSUPPORTED_OPERATION', -32004, 'FAILED_PRECONDITION', 400, 'UNSUPPORTED_OPERATION'],
  ['CONTENT_TYPE_NOT_SUPPORTED', -32005, 'INVALID_ARGUMENT', 400, 'CONTENT_TYPE_NOT_SUPPORTED'],
  ['UPSTREAM_INVALID', -32006, 'INTERNAL', 500, 'INVALID_AGENT_RESPONSE'],
  ['EXTENDED_CARD_NOT_CONFIGURED', -32007, 'FAILED_PRECONDITION', 400, 'EXTENDED_AGENT_CARD_NOT_CONFIGURED'],
  ['EXTENSION_SUPPORT_REQUIRED', -32008, 'FAILED_PRECONDITION', 400, 'EXTENSION_SUPPORT_REQUIRED'],
  ['VERSION_NOT_SUPPORTED', -32009, 'FAILED_PRECONDITION', 400, 'VERSION_NOT_SUPPORTED'],
];

describe('errors of A2A 1.0', () => {
  it.each(TABLE)('%s in every binding', (code, jsonRpc, grpc, http, reason) => {
    const error = new RollcallError(code, 'why', { details: { taskId: 't', attempts: 2, nested: {} } });
    const same = reason === code ? {} : { code };
    const info = {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason,
      domain: 'a2a-protocol.org',
      metadata: { ...same, taskId: 't', attempts: '2' },
    };
    expect(toJsonRpcError(error)).toEqual({ code: jsonRpc, message: 'why', data: [info] });
    expect(toHttpError(error)).toEqual({
      status: http,
      body: { error: { code: http, status: grpc, message: 'why', details: [info] } },
    });
    expect(toRpcStatus(error)).toEqual({ code: error.shape.grpc, message: 'why', details: [info] });
  });

  it('a wrong input names the field', () => {
    const error = invalid('message.parts', 'needs at least 1 element.');
    expect(toJsonRpcError(error)).toEqual({
      code: -32602,
      message: 'message.parts: needs at least 1 element.',
      data: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'INVALID_PARAMS',
          domain: 'a2a-protocol.org',
          metadata: { code: 'INVALID_INPUT' },
        },
        {
          '@type': 'type.googleapis.com/google.rpc.BadRequest',
          fieldViolations: [{ field: 'message.parts', description: 'message.parts: needs at least 1 element.' }],
        },
      ],
    });
  });

  it('what A2A has no name for goes under a domain of our own', () => {
    const { data } = toJsonRpcError(new RollcallError('RATE_LIMITED', 'slow down')) as { data: object[] };
    expect(data[0]).toMatchObject({ reason: 'RATE_LIMITED', domain: 'rollcall' });
  });

  it('refused credentials of an agent do not look like those of the caller, in any protocol', () => {
    const error = new RollcallError('UPSTREAM_UNAUTHORIZED', 'why');
    for (const own of ['UNAUTHENTICATED', 'FORBIDDEN'] as const) {
      expect(ERROR_SHAPES.UPSTREAM_UNAUTHORIZED.http).not.toBe(ERROR_SHAPES[own].http);
      expect(ERROR_SHAPES.UPSTREAM_UNAUTHORIZED.grpc).not.toBe(ERROR_SHAPES[own].grpc);
    }
    expect(toHttpError(error).status).toBe(502);
    expect(toRpcStatus(error)).toMatchObject({
      code: 9,
      details: [{ reason: 'UPSTREAM_UNAUTHORIZED', domain: 'rollcall' }],
    });
    expect(toJsonRpcError(error).code).toBe(-32603);
    expect(toJsonRpcError(error, 'early').code).toBe(-32603);
  });

  it('never shows the cause', () => {
    for (const code of CODES) {
      const error = new RollcallError(code, 'why', { cause: new Error('password=hunter2') });
      for (const shown of [
        toJsonRpcError(error),
        toJsonRpcError(error, 'early'),
        toHttpError(error),
        toRpcStatus(error),
      ]) {
        expect(JSON.stringify(shown)).not.toContain('hunter2');
      }
    }
  });
});

describe('errors of the older dialects', () => {
  it('0.3 gets the same codes, with plain data', () => {
    const error = new RollcallError('TASK_NOT_FOUND', 'gone', { details: { id: 't' } });
    expect(toJsonRpcError(error, '0.3')).toEqual({
      code: -32001,
      message: 'gone',
      data: { id: 't', code: 'TASK_NOT_FOUND' },
    });
    expect(toHttpError(error, '0.3-rest')).toEqual({ status: 404, body: toJsonRpcError(error, '0.3') });
  });

  it.each([
    ['UPSTREAM_INVALID', -32603],
    ['EXTENDED_CARD_NOT_CONFIGURED', -32004],
    ['EXTENSION_SUPPORT_REQUIRED', -32602],
    ['VERSION_NOT_SUPPORTED', -32602],
    ['TASK_NOT_FOUND', -32001],
    ['INVALID_INPUT', -32602],
  ] as const)('the early era gets %s as %i', (code, number) => {
    expect(toJsonRpcError(new RollcallError(code, 'why'), 'early').code).toBe(number);
  });
});

describe("an agent's errors", () => {
  it.each(TABLE.filter(([code]) => code !== 'VERSION_NOT_SUPPORTED'))('%s comes back from every binding', (code) => {
    const error = new RollcallError(code, 'why');
    const { status, body } = toHttpError(error);
    for (const read of [
      fromJsonRpcError(toJsonRpcError(error), '1.0'),
      fromHttpError(status, body),
      fromRpcStatus(toRpcStatus(error)),
      // 1.0.0 and other implementations send the number alone.
      fromJsonRpcError({ code: error.shape.jsonRpc, message: 'why' }, '1.0'),
    ]) {
      expect({ code: read.code, message: read.message }).toEqual({
        code,
        message: 'The agent answered with an error: why',
      });
    }
  });

  it("keeps the field of a wrong input, as it is the caller's", () => {
    const read = fromJsonRpcError(toJsonRpcError(invalid('message.parts', 'no')), '1.0');
    expect({ code: read.code, field: read.field }).toEqual({ code: 'INVALID_INPUT', field: 'message.parts' });
  });

  it.each([-32700, -32600, -32603, -32006, -32009, -32099, 42])('%i is between us and the agent', (code) => {
    expect(fromJsonRpcError({ code, message: 'x' }, '0.3').code).toBe('UPSTREAM_INVALID');
  });

  it.each([
    [-32006, 'UNSUPPORTED_OPERATION'],
    [-32007, 'UPSTREAM_INVALID'],
    [-32008, 'UPSTREAM_INVALID'],
    [-32009, 'UNSUPPORTED_OPERATION'],
    [-32010, 'RATE_LIMITED'],
    [-32011, 'UPSTREAM_UNREACHABLE'],
  ])('%i means something else in the early era', (code, meaning) => {
    expect(fromJsonRpcError({ code, message: 'x' }, 'early').code).toBe(meaning);
  });

  it('reads HTTP answers that say nothing of A2A', () => {
    expect(fromHttpError(404, undefined).code).toBe('TASK_NOT_FOUND');
    expect(fromHttpError(404, undefined, false).code).toBe('UPSTREAM_INVALID');
    expect(fromHttpError(401, undefined).code).toBe('UPSTREAM_INVALID');
    expect(fromHttpError(503, 'busy').code).toBe('UPSTREAM_UNREACHABLE');
    expect(fromHttpError(500, { title: 'Oops', detail: 'it broke' }).message).toContain('it broke');
    expect(fromHttpError(404, { code: -32004, message: 'no' }).code).toBe('UNSUPPORTED_OPERATION');
    expect(fromRpcStatus({ code: 14, message: 'down' }).code).toBe('UPSTREAM_UNREACHABLE');
  });

  it('bounds the text, and never throws', () => {
    expect(fromJsonRpcError({ code: 1, message: 'x'.repeat(10_000) }, '1.0').message.length).toBeLessThan(600);
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 999 }), (value, status) => {
        const details = Array.isArray(value) ? value : [value];
        for (const read of [
          fromJsonRpcError(value, '1.0'),
          fromJsonRpcError({ code: status, data: value }, 'early'),
          fromHttpError(status, value),
          fromHttpError(status, { error: value }),
          fromRpcStatus({ code: status, details }),
        ]) {
          expect(CODES).toContain(read.code);
        }
      }),
    );
  });
});
