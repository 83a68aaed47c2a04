import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { App } from '../../src/app.ts';
import { toHttpCall } from '../../src/protocol/a2a/http-json.ts';
import { OPERATIONS } from '../../src/protocol/a2a/methods.ts';
import { GRPC_METHODS, readStatus } from '../../src/protocol/a2a/protobuf.ts';
import type { Operation } from '../../src/protocol/a2a/requests.ts';
import { readEvents, rpc } from './support.ts';

/** What a call came to, whatever binding it went by. */
export interface Answered {
  readonly result?: any;
  /** Of a stream: what each event says. */
  readonly events?: readonly any[];
  readonly error?: {
    readonly reason: string;
    readonly domain: string;
    readonly message: string;
    /** The field that is wrong, where one is. */
    readonly field: string | undefined;
    /** HTTP status or gRPC status. */
    readonly status: number;
    /** JSON-RPC's own code. */
    readonly code?: number;
  };
  readonly headers: Readonly<Record<string, string>>;
}

export interface CallOptions {
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends a stream that stays open after this many events. */
  readonly take?: number;
}

/** One of the bindings of A2A 1.0, as a client speaks it. */
export interface Binding {
  readonly name: 'JSON-RPC' | 'HTTP+JSON' | 'gRPC';
  call(operation: Operation, agentId: string, params: object, options?: CallOptions): Promise<Answered>;
}

const errorOf = (details: readonly any[], message: string, status: number, code?: number): Answered['error'] => {
  const info = details.find((it) => it['@type'].endsWith('ErrorInfo'));
  const field = details.find((it) => it['@type'].endsWith('BadRequest'))?.fieldViolations[0].field;
  return { reason: info.reason, domain: info.domain, message, field, status, ...(code === undefined ? {} : { code }) };
};

const headersOf = ({ token, headers }: CallOptions): Record<string, string> => ({
  'content-type': 'application/json',
  'a2a-version': '1.0',
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  ...headers,
});

async function streamed(response: Response, most: number): Promise<any[]> {
  const events: any[] = [];
  for await (const { data } of readEvents(response)) {
    events.push(data);
    if (events.length === most) break;
  }
  return events;
}

const isStream = (response: Response): boolean =>
  response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;

function jsonRpc(app: App): Binding {
  return {
    name: 'JSON-RPC',
    async call(operation, agentId, params, options = {}) {
      const response = await fetch(`${app.addresses.url}a2a/${agentId}`, {
        method: 'POST',
        headers: headersOf(options),
        body: JSON.stringify(rpc(OPERATIONS[operation].jsonRpc['1.0'], params)),
      });
      const headers = Object.fromEntries(response.headers);
      if (isStream(response)) {
        const events = await streamed(response, options.take ?? Number.POSITIVE_INFINITY);
        return { headers, events: events.map(({ result }) => result) };
      }
      const { result, error } = (await response.json()) as any;
      if (error === undefined) return { headers, result };
      return { headers, error: errorOf(error.data, error.message, response.status, error.code)! };
    },
  };
}

function httpJson(app: App): Binding {
  return {
    name: 'HTTP+JSON',
    async call(operation, agentId, params, options = {}) {
      const { verb, path, body } = toHttpCall('1.0', operation, params)!;
      const response = await fetch(`${app.addresses.url}a2a/${agentId}${path}`, {
        method: verb,
        headers: headersOf(options),
        ...(verb === 'POST' ? { body: JSON.stringify(body) } : {}),
      });
      const headers = Object.fromEntries(response.headers);
      if (isStream(response)) {
        return { headers, events: await streamed(response, options.take ?? Number.POSITIVE_INFINITY) };
      }
      const text = await response.text();
      const answer = text === '' ? null : JSON.parse(text);
      if (response.ok) return { headers, result: answer };
      return { headers, error: errorOf(answer.error.details, answer.error.message, response.status)! };
    },
  };
}

const bytes = (value: Buffer): Buffer => value;

function grpc(client: Client): Binding {
  return {
    name: 'gRPC',
    call(operation, agentId, params, options = {}) {
      const codec = GRPC_METHODS.get(operation)!;
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headersOf(options))) {
        if (name !== 'content-type') metadata.set(name, value);
      }
      const request = Buffer.from(codec.writeRequest({ tenant: agentId, ...params }));
      let headers: Record<string, string> = {};
      const heard = (initial: Metadata): void => {
        headers = Object.fromEntries(Object.entries(initial.getMap()).map(([name, value]) => [name, String(value)]));
      };
      const failed = (error: ServiceError): Answered => {
        const [packed] = error.metadata.get('grpc-status-details-bin');
        const { details } = readStatus(packed as Buffer);
        return { headers, error: errorOf(details as any[], error.details, error.code)! };
      };
      return new Promise((resolve) => {
        if (!codec.streaming) {
          const unary = client.makeUnaryRequest(codec.path, bytes, bytes, request, metadata, (error, answer) =>
            resolve(error === null ? { headers, result: codec.readAnswer(answer!) } : failed(error)),
          );
          unary.on('metadata', heard);
          return;
        }
        const events: any[] = [];
        const stream = client.makeServerStreamRequest(codec.path, bytes, bytes, request, metadata);
        stream.on('metadata', heard);
        stream.on('data', (answer: Buffer) => {
          events.push(codec.readAnswer(answer));
          if (events.length === options.take) stream.cancel();
        });
        stream.on('end', () => resolve({ headers, events }));
        stream.on('error', (error: ServiceError) =>
          resolve(events.length === options.take ? { headers, events } : failed(error)),
        );
      });
    },
  };
}

/** The three bindings of a server, and what closes them. */
export function bindingsOf(app: App): { readonly all: readonly Binding[]; close(): void } {
  const client = new Client(app.addresses.grpc, credentials.createInsecure());
  return { all: [jsonRpc(app), httpJson(app), grpc(client)], close: () => client.close() };
}
