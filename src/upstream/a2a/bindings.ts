import { RollcallError } from '../../errors.ts';
import { isObject } from '../../protocol/a2a/codec.ts';
import { DIALECTS, type Dialect, type DialectName } from '../../protocol/a2a/dialects/index.ts';
import { type HttpDialect, toHttpCall } from '../../protocol/a2a/http-json.ts';
import { readAnswer, requestEnvelope } from '../../protocol/a2a/jsonrpc.ts';
import { OPERATIONS } from '../../protocol/a2a/methods.ts';
import type { Operation } from '../../protocol/a2a/requests.ts';
import { fromHttpError, fromStreamedError } from '../../protocol/a2a/upstream-errors.ts';
import type { EgressMethod } from '../egress.ts';
import { httpFailure } from './failures.ts';

/** One HTTP request to an agent. */
export interface WireRequest {
  readonly method: EgressMethod;
  readonly url: URL;
  readonly contentType?: string;
  readonly body?: string;
}

/** How operations travel over HTTP: how a request is put, and what an answer holds. */
export interface HttpBinding {
  readonly over: 'http';
  readonly dialect: Dialect;
  /** @throws RollcallError UNSUPPORTED_OPERATION where the binding lacks it. */
  request(base: URL, operation: Operation, params: unknown): WireRequest;
  /** The result in an answer. @throws RollcallError the agent's error, translated. */
  result(status: number, body: unknown, origin: string): unknown;
  /** The result in an event. @param isError the event says that it is an error. @throws as {@link result}. */
  streamed(data: unknown, isError: boolean): unknown;
}

/** Over gRPC the methods and messages say everything themselves. */
export interface GrpcBinding {
  readonly over: 'grpc';
  readonly dialect: Dialect;
}

export type Binding = HttpBinding | GrpcBinding;

const lacks = (operation: Operation, where: string): RollcallError =>
  new RollcallError('UNSUPPORTED_OPERATION', `The agent is spoken to in ${where}, which has no ${operation}.`);

const isAnswer = (body: unknown): boolean => isObject(body) && ('result' in body || 'error' in body);

let requests = 0;

const jsonRpc = (name: Exclude<DialectName, '0.3-rest'>): HttpBinding => ({
  over: 'http',
  dialect: DIALECTS[name],
  request(base, operation, params) {
    const method = OPERATIONS[operation].jsonRpc[name];
    if (method === null) throw lacks(operation, `A2A ${name}`);
    const body = JSON.stringify(requestEnvelope(++requests, method, params));
    return { method: 'POST', url: new URL(base), contentType: 'application/json', body };
  },
  result(status, body, origin) {
    if ((!isAnswer(body) && status !== 200) || status === 401 || status === 403) throw httpFailure(status, origin);
    return readAnswer(body, name);
  },
  streamed(data, isError) {
    if (isError && !isAnswer(data)) throw fromStreamedError(data);
    return readAnswer(data, name);
  },
});

const httpJson = (name: HttpDialect): HttpBinding => ({
  over: 'http',
  dialect: DIALECTS[name],
  request(base, operation, params) {
    const call = toHttpCall(name, operation, params);
    if (call === undefined) throw lacks(operation, `HTTP+JSON of A2A ${name}`);
    const [path, query] = call.path.split('?', 2) as [string, string?];
    // A query that belongs to the declared url stays.
    const url = new URL(base);
    url.pathname = base.pathname.replace(/\/$/, '') + path;
    for (const [key, value] of new URLSearchParams(query)) url.searchParams.append(key, value);
    const type = name === '1.0' ? 'application/a2a+json' : 'application/json';
    return {
      method: call.verb,
      url,
      ...(call.body === undefined ? {} : { contentType: type, body: JSON.stringify(call.body) }),
    };
  },
  result(status, body, origin) {
    if (status >= 200 && status < 300) return body;
    if (body === undefined || status === 401 || status === 403) throw httpFailure(status, origin);
    throw fromHttpError(status, body);
  },
  streamed(data, isError) {
    // Some agents do not give the event its type.
    if (isError || (isObject(data) && isObject(data['error']))) throw fromStreamedError(data);
    return data;
  },
});

/** What our client speaks, by binding and dialect of an agent's interface. */
export const BINDINGS: Readonly<Record<string, Binding>> = {
  'JSONRPC 1.0': jsonRpc('1.0'),
  'JSONRPC 0.3': jsonRpc('0.3'),
  'JSONRPC early': jsonRpc('early'),
  'HTTP+JSON 1.0': httpJson('1.0'),
  'HTTP+JSON 0.3': httpJson('0.3-rest'),
  'GRPC 1.0': { over: 'grpc', dialect: DIALECTS['1.0'] },
};
