import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { decodeEvents } from '../../src/protocol/sse.ts';
import { TASK_EVENT_FIELDS } from './views.ts';

type Json = Record<string, any>;

/** The server has refused, in its protocol's words. */
export class Refused extends Error {}

export type RawDialect = '1.0' | '0.3';

const VERSION: Readonly<Record<RawDialect, Readonly<Record<string, string>>>> = {
  '1.0': { 'a2a-version': '1.0' },
  '0.3': {},
};
const SUBSCRIBE: Readonly<Record<RawDialect, string>> = { '1.0': 'SubscribeToTask', '0.3': 'tasks/resubscribe' };

export interface StreamRequest {
  readonly method: string;
  readonly params: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Hears when the request has been handed to the kernel. */
  readonly onWritten?: () => void;
}

/** A streaming JSON-RPC call: its events with their ids, until it ends. @throws Refused; the socket's error. */
export async function* rpcStream(
  url: string,
  dialect: RawDialect,
  { method, params, headers = {}, onWritten = () => undefined }: StreamRequest,
): AsyncGenerator<{ readonly sequence: number | undefined; readonly result: Json }> {
  const call = httpRequest(url, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...VERSION[dialect], ...headers },
  });
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  // What breaks later is thrown by whoever reads the answer.
  call.on('error', () => undefined);
  call.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), onWritten);
  const [response] = await answered;
  try {
    if (!response.headers['content-type']?.startsWith('text/event-stream')) {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      throw new Refused(Buffer.concat(parts).toString());
    }
    for await (const { id, data } of decodeEvents(response)) {
      const { result, error } = JSON.parse(data) as Json;
      if (error !== undefined) throw new Refused(data);
      yield { sequence: id === undefined ? undefined : Number(id), result };
    }
  } finally {
    call.destroy();
  }
}

/** The events of a task after a sequence. */
export const subscribeStream = (agentUrl: string, dialect: RawDialect, id: string, after: number) =>
  rpcStream(agentUrl, dialect, {
    method: SUBSCRIBE[dialect],
    params: { id },
    headers: { 'last-event-id': String(after) },
  });

/** The events of a task after a sequence, by GraphQL over a WebSocket. */
export async function* graphStream(url: string, taskId: string, after: number): AsyncGenerator<Json> {
  const socket = createClient({
    url: `${url.replace('http', 'ws')}graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });
  try {
    for await (const { data, errors } of socket.iterate<Json>({
      query: `subscription($taskId: ID!, $after: Int!) { taskEvents(taskId: $taskId, after: $after) { ${TASK_EVENT_FIELDS} } }`,
      variables: { taskId, after },
    })) {
      if (errors !== undefined) throw new Refused(JSON.stringify(errors));
      yield data!['taskEvents'] as Json;
    }
  } finally {
    await socket.dispose();
  }
}
