import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RollcallError } from '../../../src/errors.ts';
import {
  errorEnvelope,
  parseCall,
  readAnswer,
  readCall,
  readShim,
  requestEnvelope,
  resultEnvelope,
} from '../../../src/protocol/a2a/jsonrpc.ts';

const refusal = (body: string | Uint8Array) => {
  const { refusal: found } = parseCall(body);
  return found && { id: found.id, code: found.error.shape.jsonRpc };
};
const envelope = (more: object) => JSON.stringify({ jsonrpc: '2.0', method: 'GetTask', id: 1, ...more });

describe('reading a call', () => {
  it('takes a request', () => {
    expect(parseCall(envelope({ params: { id: 't' } }))).toEqual({
      call: { id: 1, method: 'GetTask', params: { id: 't' } },
    });
    expect(parseCall(new TextEncoder().encode(`\uFEFF${envelope({ id: 'ä' })}`))).toEqual({
      call: { id: 'ä', method: 'GetTask', params: undefined },
    });
  });

  it('recognises a notification by its missing id, and not by null', () => {
    expect(parseCall('{"jsonrpc":"2.0","method":"GetTask"}').call).not.toHaveProperty('id');
    expect(parseCall(envelope({ id: null })).call).toHaveProperty('id', null);
  });

  it.each([
    ['a body that is no JSON', '{"jsonrpc":', -32700, null],
    ['an empty body', '', -32700, null],
    ['a batch', `[${envelope({})}]`, -32600, null],
    ['an empty batch', '[]', -32600, null],
    ['a string', '"GetTask"', -32600, null],
    ['null', 'null', -32600, null],
    ['a fraction as id', envelope({ id: 1.5 }), -32600, null],
    ['an object as id', envelope({ id: {} }), -32600, null],
    ['true as id', envelope({ id: true }), -32600, null],
    ['an id that would come back changed', '{"jsonrpc":"2.0","method":"m","id":9007199254740993}', -32600, null],
    ['version 1', envelope({ jsonrpc: '1.0' }), -32600, 1],
    ['no version', envelope({ jsonrpc: undefined }), -32600, 1],
    ['no method', envelope({ method: undefined, id: 'r' }), -32600, 'r'],
    ['a number as method', envelope({ method: 5 }), -32600, 1],
    ['positional params', envelope({ params: ['t'] }), -32602, 1],
    ['a string as params', envelope({ params: 't' }), -32602, 1],
  ])('refuses %s', (_, body, code, id) => {
    expect(refusal(body)).toEqual({ id, code });
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(refusal(new Uint8Array([0x22, 0xc3, 0x28, 0x22]))).toEqual({ id: null, code: -32700 });
  });

  it('lets the early era leave out the version, as its schema does', () => {
    const params = { id: 't', message: {} };
    expect(readCall({ id: 'r', method: 'tasks/send', params })).toEqual({
      call: { id: 'r', method: 'tasks/send', params },
    });
    expect(readCall({ id: 'r', method: 'tasks/get', params }).refusal?.error.code).toBe('INVALID_REQUEST');
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.uint8Array()), (body) => {
        const { call, refusal: found } = parseCall(body);
        expect((call === undefined) !== (found === undefined)).toBe(true);
      }),
    );
  });
});

describe('path-per-method routes of the early era', () => {
  const params = { id: 't', message: { role: 'user', parts: [] } };

  it('take a whole envelope, and are answered with one', () => {
    const body = { jsonrpc: '2.0', id: 3, method: 'tasks/send', params };
    expect(readShim(body, 'tasks/send')).toEqual({ call: { id: 3, method: 'tasks/send', params }, enveloped: true });
    expect(readShim({ jsonrpc: '2.0', id: 3, params }, 'tasks/send').call?.method).toBe('tasks/send');
  });

  it('take bare params, and are answered bare', () => {
    expect(readShim(params, 'tasks/send')).toEqual({
      call: { id: null, method: 'tasks/send', params },
      enveloped: false,
    });
  });

  it('refuse an envelope for another method', () => {
    const body = { jsonrpc: '2.0', id: 3, method: 'tasks/cancel', params };
    const { refusal: found } = readShim(body, 'tasks/send');
    expect(found?.id).toBe(3);
    expect(found?.error.code).toBe('INVALID_REQUEST');
    expect(readShim([params], 'tasks/send').refusal?.error.code).toBe('INVALID_REQUEST');
  });
});

describe('envelopes', () => {
  it('have exactly the members of JSON-RPC 2.0', () => {
    expect(requestEnvelope(1, 'GetTask', { id: 't' })).toEqual({
      jsonrpc: '2.0',
      id: 1,
      method: 'GetTask',
      params: { id: 't' },
    });
    expect(requestEnvelope(1, 'agent/getAuthenticatedExtendedCard', undefined)).not.toHaveProperty('params');
    expect(resultEnvelope('r', undefined)).toEqual({ jsonrpc: '2.0', id: 'r', result: null });
    expect(Object.keys(errorEnvelope(null, new RollcallError('INTERNAL', 'x')))).toEqual(['jsonrpc', 'id', 'error']);
  });

  it("a client reads an agent's result, or its error, or blames it", () => {
    expect(readAnswer({ jsonrpc: '2.0', id: 1, result: null }, '1.0')).toBeNull();
    // Some agents write both members, with null for the one that does not count.
    expect(readAnswer({ id: 1, result: { a: 1 }, error: null }, '0.3')).toEqual({ a: 1 });
    const failing = (value: unknown) => () => readAnswer(value, '1.0');
    expect(failing({ error: { code: -32001, message: 'gone' } })).toThrow(
      expect.objectContaining({ code: 'TASK_NOT_FOUND', message: 'The agent answered with an error: gone' }),
    );
    for (const value of [undefined, null, 'x', [], {}, { id: 1 }]) {
      expect(failing(value)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }));
    }
  });
});
