import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An A2A 1.0 agent whose stream the test writes itself, event by event. */
export interface ScriptedAgent {
  /** Ends in "/"; the card is below it. */
  readonly url: string;
  /** The extensions that callers named, per request. */
  readonly extensions: (string | undefined)[];
  /** The stream of the next send that comes in. */
  next(): Promise<ScriptedStream>;
  close(): Promise<void>;
}

export interface ScriptedStream {
  /** The status of the task from now on, in 1.0's words: `WORKING`. */
  status(state: string): void;
  artifact(text: string, append?: boolean, artifactId?: string): void;
  end(): void;
}

export async function startScriptedAgent(card: object = {}): Promise<ScriptedAgent> {
  const streams: ScriptedStream[] = [];
  const waiting: ((stream: ScriptedStream) => void)[] = [];
  const extensions: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(cardOf(url, card)));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { id } = JSON.parse(Buffer.concat(chunks).toString()) as { id: unknown };
    extensions.push(request.headers['a2a-extensions'] as string | undefined);
    const stream = open(response, id);
    const waiter = waiting.shift();
    if (waiter === undefined) streams.push(stream);
    else waiter(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    extensions,
    next() {
      const stream = streams.shift();
      return stream === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(stream);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function open(response: ServerResponse, id: unknown): ScriptedStream {
  const ids = { taskId: crypto.randomUUID(), contextId: crypto.randomUUID() };
  const say = (result: object): void =>
    void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  say({ task: { id: ids.taskId, contextId: ids.contextId, status: { state: 'TASK_STATE_SUBMITTED' } } });
  return {
    status: (state) => say({ statusUpdate: { ...ids, status: { state: `TASK_STATE_${state}` } } }),
    artifact: (text, append = false, artifactId = 'out') =>
      say({ artifactUpdate: { ...ids, artifact: { artifactId, parts: [{ text }] }, append } }),
    end: () => void response.end(),
  };
}

const cardOf = (url: string, more: object): object => ({
  name: 'Scripted',
  description: 'Says what the test says.',
  version: '1',
  supportedInterfaces: [{ url: `${url}rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: { streaming: true },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [{ id: 's', name: 'S', description: 'Does it.', tags: ['test'] }],
  ...more,
});
