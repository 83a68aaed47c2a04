import { randomUUID } from 'node:crypto';
import { type Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { ERROR_SHAPES, type ErrorCode } from '../../../src/errors.ts';
import { DIALECTS, type DialectName } from '../../../src/protocol/a2a/dialects/index.ts';
import { type HttpRoute, OPERATIONS } from '../../../src/protocol/a2a/methods.ts';
import { GRPC_METHODS } from '../../../src/protocol/a2a/protobuf.ts';
import type { Operation, RequestOf } from '../../../src/protocol/a2a/requests.ts';

/** Where a server's A2A doors are. */
export interface A2aServer {
  readonly url: string;
  readonly a2aGrpc: Client;
}

/** What came back. `raw` is everything that the caller got to see, headers included. */
export interface Outcome {
  readonly ok: boolean;
  /** HTTP status, JSON-RPC error code or gRPC status. */
  readonly refusal: number | undefined;
  readonly raw: string;
}

/** One way to call an operation. */
export interface A2aDoor {
  readonly name: string;
  /** Whether it has the operation. */
  offers(operation: Operation): boolean;
  /** A stream is read up to its first event. */
  call<O extends Operation>(
    server: A2aServer,
    token: string | undefined,
    agentId: string,
    operation: O,
    request: RequestOf[O],
  ): Promise<Outcome>;
  /** How an error of ours reads here. */
  refusalOf(code: ErrorCode): number;
}

const authorized = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

/** The answer as far as its first event; what is still open is ended. */
async function firstOf(url: string, init: RequestInit): Promise<{ response: Response; text: string; body: any }> {
  const stop = new AbortController();
  const response = await fetch(url, { ...init, signal: stop.signal });
  let text = '';
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (/^data:.*\n\r?\n/m.test(text)) break;
    }
    stop.abort();
  } else text = await response.text();
  const json = /^data: ?(.*)$/m.exec(text)?.[1] ?? text;
  return { response, text, body: json === '' ? undefined : JSON.parse(json) };
}

const rawOf = (response: Response, text: string): string =>
  `${response.status} ${JSON.stringify([...response.headers])} ${text}`;

const jsonRpc = (dialect: '1.0' | '0.3' | 'early'): A2aDoor => ({
  name: `JSON-RPC ${dialect}`,
  offers: (operation) => OPERATIONS[operation].jsonRpc[dialect] !== null,
  async call(server, token, agentId, operation, request) {
    const { response, text, body } = await firstOf(`${server.url}a2a/${agentId}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'a2a-version': dialect === 'early' ? '0.1' : dialect,
        ...authorized(token),
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: OPERATIONS[operation].jsonRpc[dialect],
        params: DIALECTS[dialect].writeRequest(operation, request as never),
      }),
    });
    const refusal = body?.error?.code as number | undefined;
    return { ok: response.ok && refusal === undefined, refusal, raw: rawOf(response, text) };
  },
  refusalOf: (code) => ERROR_SHAPES[code].jsonRpc,
});

/** A request as path, query and body of an HTTP+JSON binding. */
export function httpRequest(route: HttpRoute, wire: Record<string, unknown>) {
  const rest = { ...wire };
  delete rest['tenant'];
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(String(value));
  });
  if (route.verb === 'POST') return { path, body: JSON.stringify(rest) };
  const query = new URLSearchParams(Object.entries(rest).map(([name, value]) => [name, String(value)]));
  return { path: query.size === 0 ? path : `${path}?${query}`, body: undefined };
}

const httpJson = (dialect: '1.0' | '0.3-rest', which: number): A2aDoor => ({
  name: `HTTP+JSON ${dialect}${which === 0 ? '' : ` (route ${which + 1})`}`,
  offers: (operation) => OPERATIONS[operation].http[dialect][which] !== undefined,
  async call(server, token, agentId, operation, request) {
    const route = OPERATIONS[operation].http[dialect][which]!;
    const wire = DIALECTS[dialect as DialectName].writeRequest(operation, request as never);
    const { path, body } = httpRequest(route, wire as Record<string, unknown>);
    const { response, text } = await firstOf(`${server.url}a2a/${agentId}${path}`, {
      method: route.verb,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...authorized(token) },
      ...(body === undefined ? {} : { body }),
    });
    return { ok: response.ok, refusal: response.ok ? undefined : response.status, raw: rawOf(response, text) };
  },
  refusalOf: (code) => ERROR_SHAPES[code].http,
});

const same = (bytes: Buffer): Buffer => bytes;

/** Calls any RPC with bytes as they are; a stream is read up to its first message. */
export function callGrpc(
  client: Client,
  path: string,
  streaming: boolean,
  bytes: Buffer,
  token: string | undefined,
): Promise<{ readonly error?: ServiceError; readonly bytes?: Buffer }> {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const options = { deadline: Date.now() + 20_000 };
  return new Promise((resolve) => {
    if (!streaming) {
      client.makeUnaryRequest(path, same, same, bytes, metadata, options, (error, answer) =>
        resolve(error === null ? { bytes: answer! } : { error }),
      );
      return;
    }
    const call = client.makeServerStreamRequest(path, same, same, bytes, metadata, options);
    call.on('data', (answer: Buffer) => {
      resolve({ bytes: answer });
      call.cancel();
    });
    call.on('error', (error) => resolve({ error: error as ServiceError }));
    call.on('end', () => resolve({ bytes: Buffer.alloc(0) }));
  });
}

/** All that a refused caller sees, trailers as text. */
export const refusalText = (error: ServiceError): string =>
  [
    error.code,
    error.details,
    ...Object.entries(error.metadata?.getMap() ?? {})
      .flat()
      .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : value)),
  ].join(' ');

const GRPC: A2aDoor = {
  name: 'gRPC',
  offers: () => true,
  async call(server, token, agentId, operation, request) {
    const codec = GRPC_METHODS.get(operation)!;
    const wire = DIALECTS['1.0'].writeRequest(operation, { ...request, tenant: agentId } as never);
    const asked = Buffer.from(codec.writeRequest(wire));
    const { error, bytes } = await callGrpc(server.a2aGrpc, codec.path, codec.streaming, asked, token);
    if (error !== undefined) {
      return { ok: false, refusal: error.code, raw: refusalText(error) };
    }
    return { ok: true, refusal: undefined, raw: JSON.stringify(codec.readAnswer(bytes!)) };
  },
  refusalOf: (code) => ERROR_SHAPES[code].grpc,
};

/** Every binding in every dialect. */
export const A2A_DOORS: readonly A2aDoor[] = [
  jsonRpc('1.0'),
  jsonRpc('0.3'),
  jsonRpc('early'),
  httpJson('1.0', 0),
  httpJson('1.0', 1),
  httpJson('0.3-rest', 0),
  httpJson('0.3-rest', 1),
  GRPC,
];

export const messageOf = (text: string, more: object = {}) => ({
  message: { messageId: randomUUID(), role: 'user' as const, parts: [{ text }], ...more },
});
