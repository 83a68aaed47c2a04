import { RollcallError } from '../../errors.ts';
import { isObject, kindOf } from './codec.ts';
import type { DialectName } from './dialects/dialect.ts';
import { type JsonRpcError, toJsonRpcError } from './errors.ts';
import { isEarlyOnly } from './methods.ts';
import { fromJsonRpcError } from './upstream-errors.ts';

/** JSON-RPC 2.0 as A2A uses it: one request per body, no batches. */

export type JsonRpcId = string | number | null;

export interface JsonRpcCall {
  /** Absent in a notification: it is carried out, and nothing is answered. */
  readonly id?: JsonRpcId;
  readonly method: string;
  /** An object, or absent. */
  readonly params: { readonly [name: string]: unknown } | undefined;
}

/** A body that is no call: the error to answer, under this id. */
export interface JsonRpcRefusal {
  readonly id: JsonRpcId;
  readonly error: RollcallError;
}

export type ParsedCall =
  | { readonly call: JsonRpcCall; readonly refusal?: never }
  | { readonly refusal: JsonRpcRefusal; readonly call?: never };

const refuse = (
  id: JsonRpcId,
  code: 'PARSE_ERROR' | 'INVALID_REQUEST' | 'INVALID_INPUT',
  message: string,
  field?: string,
): ParsedCall => ({
  refusal: { id, error: new RollcallError(code, message, field === undefined ? {} : { field }) },
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** JSON from a body. @throws RollcallError PARSE_ERROR */
export function parseJson(body: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body.replace(/^\uFEFF/, '') : utf8.decode(body));
  } catch {
    throw new RollcallError('PARSE_ERROR', 'The body is not valid JSON in UTF-8.');
  }
}

/** A body as one call, or the error to answer; never throws. */
export function parseCall(body: string | Uint8Array): ParsedCall {
  try {
    return readCall(parseJson(body));
  } catch (thrown) {
    if (thrown instanceof RollcallError) return { refusal: { id: null, error: thrown } };
    throw thrown;
  }
}

/** {@link parseCall} for a body that is parsed already. */
export function readCall(value: unknown): ParsedCall {
  if (Array.isArray(value)) {
    return refuse(null, 'INVALID_REQUEST', 'Batches are not supported: send one request per body.');
  }
  if (!isObject(value)) return refuse(null, 'INVALID_REQUEST', `A request is an object, not ${kindOf(value)}.`);
  const { id, method, params, jsonrpc } = value;
  if (id !== undefined && !isId(id)) {
    return refuse(null, 'INVALID_REQUEST', 'id: must be a string, an integer that JavaScript can hold, or null.', 'id');
  }
  const answerId = id ?? null;
  // The early era's schema has a default there; all later ones require it.
  if (jsonrpc !== '2.0' && !(jsonrpc === undefined && isEarlyOnly(method))) {
    return refuse(answerId, 'INVALID_REQUEST', 'jsonrpc: must be "2.0".', 'jsonrpc');
  }
  if (typeof method !== 'string' || method === '') {
    return refuse(answerId, 'INVALID_REQUEST', 'method: must be the name of a method.', 'method');
  }
  if (params !== undefined && params !== null && !isObject(params)) {
    return refuse(answerId, 'INVALID_INPUT', `params: must be an object, not ${kindOf(params)}.`, 'params');
  }
  const call = { method, params: params ?? undefined };
  return { call: id === undefined ? call : { ...call, id } };
}

// An integer beyond 2^53 would come back changed, and the client would wait for ever.
const isId = (id: unknown): id is JsonRpcId => id === null || typeof id === 'string' || Number.isSafeInteger(id);

/**
 * A body of the early era's path-per-method routes: a whole envelope, or the bare params of `method`, and `enveloped`
 * says in which kind to answer.
 */
export function readShim(value: unknown, method: string): ParsedCall & { readonly enveloped: boolean } {
  if (!isObject(value) || 'jsonrpc' in value || ('method' in value && 'params' in value)) {
    const parsed = readCall(isObject(value) && !('method' in value) ? { ...value, method } : value);
    if (parsed.call === undefined || parsed.call.method === method) return { ...parsed, enveloped: true };
    const said = JSON.stringify(parsed.call.method.slice(0, 80));
    const mismatch = refuse(
      parsed.call.id ?? null,
      'INVALID_REQUEST',
      `method: this path is ${method}, but the body says ${said}.`,
      'method',
    );
    return { ...mismatch, enveloped: true };
  }
  return { call: { id: null, method, params: value }, enveloped: false };
}

export interface JsonRpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: string | number;
  readonly method: string;
  readonly params?: unknown;
}
export interface JsonRpcAnswer {
  readonly jsonrpc: '2.0';
  readonly id: JsonRpcId;
  readonly result?: unknown;
  readonly error?: JsonRpcError;
}

export const requestEnvelope = (id: string | number, method: string, params: unknown): JsonRpcRequest =>
  params === undefined ? { jsonrpc: '2.0', id, method } : { jsonrpc: '2.0', id, method, params };

export const resultEnvelope = (id: JsonRpcId, result: unknown): JsonRpcAnswer => ({
  jsonrpc: '2.0',
  id,
  result: result === undefined ? null : result,
});

export const errorEnvelope = (id: JsonRpcId, error: RollcallError, dialect: DialectName = '1.0'): JsonRpcAnswer => ({
  jsonrpc: '2.0',
  id,
  error: toJsonRpcError(error, dialect),
});

/**
 * The result in an agent's answer (a body, or the data of one event).
 * @throws RollcallError the agent's own error, translated; UPSTREAM_INVALID when the answer is no JSON-RPC answer
 */
export function readAnswer(value: unknown, dialect: DialectName): unknown {
  if (!isObject(value)) {
    throw new RollcallError('UPSTREAM_INVALID', `The agent's answer is ${kindOf(value)} instead of a JSON-RPC answer.`);
  }
  if (value.error !== undefined && value.error !== null) throw fromJsonRpcError(value.error, dialect);
  if (!('result' in value)) {
    throw new RollcallError('UPSTREAM_INVALID', 'The agent answered with neither a result nor an error.');
  }
  return value.result;
}
