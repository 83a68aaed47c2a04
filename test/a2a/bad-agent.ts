import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an agent does with a call, beside what any agent would do. */
export type Misbehaviour = (call: BadCall) => void;

export interface BadCall {
  readonly response: ServerResponse;
  readonly id: unknown;
  readonly method: string;
  /** The agent's ids of the task that the call is about. */
  readonly ids: { readonly taskId: string; readonly contextId: string };
  /** Begins an event stream. */
  open(): void;
  /** Writes one event of 1.0. */
  say(result: object): void;
  status(state: string): void;
  chunk(text: string): void;
  answer(result: unknown): void;
  task(state: string): object;
}

/** An A2A 1.0 agent whose every call is in the hands of the test. */
export interface BadAgent {
  readonly url: string;
  /** What it does from now on. */
  behave(how: Misbehaviour): void;
  /** Methods that it was called with, in order. */
  readonly methods: readonly string[];
  /** Connections that are open now. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

export async function startBadAgent(streaming: boolean): Promise<BadAgent> {
  let behaviour: Misbehaviour = () => undefined;
  const methods: string[] = [];
  const server = createServer(async (request, response) => {
    // A connection that the other side cuts is what these tests are about.
    response.on('error', () => undefined);
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(cardOf(url, streaming)));
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    const { id, method, params } = JSON.parse(body) as { id: unknown; method: string; params: { id?: string } };
    methods.push(method);
    const taskId = params.id ?? crypto.randomUUID();
    behaviour(callOf(response, id, method, { taskId, contextId: 'c' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    methods,
    behave(how) {
      behaviour = how;
    },
    connections: () =>
      new Promise((resolve, reject) => server.getConnections((error, n) => (error ? reject(error) : resolve(n)))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function callOf(response: ServerResponse, id: unknown, method: string, ids: BadCall['ids']): BadCall {
  const task = (state: string) => ({
    id: ids.taskId,
    contextId: ids.contextId,
    status: { state: `TASK_STATE_${state}` },
  });
  const call: BadCall = {
    response,
    id,
    method,
    ids,
    task,
    open: () => void response.writeHead(200, { 'content-type': 'text/event-stream' }),
    say: (result) => void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`),
    status: (state) => call.say({ statusUpdate: { ...ids, status: { state: `TASK_STATE_${state}` } } }),
    chunk: (text) =>
      call.say({ artifactUpdate: { ...ids, artifact: { artifactId: 'out', parts: [{ text }] }, append: true } }),
    answer: (result) =>
      void response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result })),
  };
  return call;
}

const cardOf = (url: string, streaming: boolean): object => ({
  name: `Bad ${streaming ? 'streaming' : 'answering'}`,
  description: 'Does what it should not.',
  version: '1',
  supportedInterfaces: [{ url: `${url}rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: { streaming },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [{ id: 's', name: 'S', description: 'Does it.', tags: ['test'] }],
});
