import { randomUUID } from 'node:crypto';
import { AgentCard, SendMessageRequest, type StreamResponse } from '@a2a-js/sdk';
import {
  type Client,
  ClientFactory,
  ClientFactoryOptions,
  JsonRpcTransportFactory,
  RestTransportFactory,
} from '@a2a-js/sdk/client';
import { GrpcTransportFactory } from '@a2a-js/sdk/client/grpc';
import type { App } from '../../src/app.ts';
import { decodeEvents } from '../../src/protocol/sse.ts';
import { data } from '../support/app.ts';

/** An interface that cards list, as the client of the A2A project's SDK speaks it. */
export interface ClientKind {
  readonly binding: 'JSONRPC' | 'HTTP+JSON' | 'GRPC';
  readonly version: '1.0' | '0.3';
}

export const CLIENT_KINDS: readonly ClientKind[] = [
  { binding: 'JSONRPC', version: '1.0' },
  { binding: 'JSONRPC', version: '0.3' },
  { binding: 'HTTP+JSON', version: '1.0' },
  { binding: 'HTTP+JSON', version: '0.3' },
  { binding: 'GRPC', version: '1.0' },
];

/** The SDK's client for an agent behind Rollcall, made from the card that it finds there. */
export async function clientFor(baseUrl: string, { binding, version }: ClientKind, token?: string): Promise<Client> {
  const fetchImpl: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    return fetch(input, { ...init, headers });
  };
  const answer = await fetchImpl(new URL('.well-known/agent-card.json', baseUrl), {
    headers: { 'a2a-version': '1.0' },
  });
  const card = AgentCard.fromJSON(await answer.json());
  card.supportedInterfaces = card.supportedInterfaces.filter(
    (it) => it.protocolBinding === binding && it.protocolVersion === version,
  );
  const options = { fetchImpl, legacyCompat: { enabled: version === '0.3' } };
  const transports = [
    new JsonRpcTransportFactory(options),
    new RestTransportFactory(options),
    new GrpcTransportFactory(),
  ];
  return new ClientFactory({ ...ClientFactoryOptions.default, transports }).createFromAgentCard(card);
}

/** A send as the SDK takes it. */
export const sendOf = (text: string, message: object = {}, configuration?: object): SendMessageRequest =>
  SendMessageRequest.fromJSON({
    message: { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...message },
    ...(configuration === undefined ? {} : { configuration }),
  });

/** What an event of the SDK's streams is. */
export const caseOf = ({ payload }: StreamResponse): string | undefined => payload?.$case;

/** The bundled agent's id. */
export async function echoAgent(app: App): Promise<string> {
  return (await data(app.addresses.url, '{ agent(handle: "echo") { id } }'))['agent'].id;
}

export interface RpcAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, any>;
}

/** Posts JSON, or a text as it is, and reads what comes back. */
export async function post(url: string | URL, body: unknown, headers: Record<string, string> = {}): Promise<RpcAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

/** A JSON-RPC request. */
export const rpc = (method: string, params?: unknown, id: string | number = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? {} : { params }),
});

/** A message of 1.0. */
export const userMessage = (text: string, more: object = {}) => ({
  messageId: randomUUID(),
  role: 'ROLE_USER',
  parts: [{ text }],
  ...more,
});

/** One event of a stream. */
export interface StreamedEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, any>;
}

/** The events of a stream, as they come. Ending the generator early closes the connection. */
export async function* readEvents(response: Response): AsyncGenerator<StreamedEvent, void> {
  const type = response.headers.get('content-type');
  if (!type?.startsWith('text/event-stream')) throw new Error(`No stream: ${type} ${await response.text()}`);
  for await (const { id, event, data } of decodeEvents(response.body as unknown as AsyncIterable<Uint8Array>)) {
    yield { id, event, data: JSON.parse(data) };
  }
}

/** The next events of a stream; it stays open. */
export async function take(events: AsyncGenerator<StreamedEvent, void>, count: number): Promise<StreamedEvent[]> {
  const taken: StreamedEvent[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done) throw new Error(`The stream ended after ${taken.length} of ${count} events.`);
    taken.push(value);
  }
  return taken;
}

/** What follows until the stream ends. */
export async function rest(events: AsyncGenerator<StreamedEvent, void>): Promise<StreamedEvent[]> {
  const all: StreamedEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export const eventsOf = (response: Response): Promise<StreamedEvent[]> => rest(readEvents(response));
