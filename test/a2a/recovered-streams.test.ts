import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { importAgent, startTestApp } from '../support/app.ts';
import { eventsOf, post, readEvents, rpc, type StreamedEvent, take } from './support.ts';

/** An agent of 0.3 that streams what it is told, and knows its task beside what it streams. */
class V03Agent {
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #streams: ((stream: ServerResponse) => void)[] = [];
  readonly #waiting: { readonly stream: ServerResponse; readonly id: unknown }[] = [];
  readonly ids = { id: crypto.randomUUID(), contextId: crypto.randomUUID() };
  state = 'working';
  texts: string[] = [];
  #latest: { stream: ServerResponse; id: unknown } | undefined;
  url = '';

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** The next stream that is opened. */
  async opened(): Promise<void> {
    const next = this.#waiting.shift();
    if (next === undefined) await new Promise<ServerResponse>((resolve) => this.#streams.push(resolve));
    else this.#latest = next;
  }

  chunk(text: string, append = true): void {
    const { id: taskId, contextId } = this.ids;
    const artifact = { artifactId: 'out', parts: [{ kind: 'text', text }] };
    this.#say({ kind: 'artifact-update', taskId, contextId, artifact, append });
  }

  finish(): void {
    this.state = 'completed';
    const { id: taskId, contextId } = this.ids;
    this.#say({ kind: 'status-update', taskId, contextId, status: { state: this.state }, final: true });
    this.#latest?.stream.end();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #say(result: object): void {
    const { stream, id } = this.#latest!;
    stream.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  }

  get #task(): object {
    const parts = this.texts.map((text) => ({ kind: 'text', text }));
    const artifacts = parts.length === 0 ? [] : [{ artifactId: 'out', parts }];
    return { kind: 'task', ...this.ids, status: { state: this.state }, artifacts };
  }

  async #serve(request: import('node:http').IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          name: 'Old',
          description: 'Speaks 0.3.',
          version: '1',
          protocolVersion: '0.3.0',
          url: this.url,
          preferredTransport: 'JSONRPC',
          capabilities: { streaming: true },
          defaultInputModes: ['text/plain'],
          defaultOutputModes: ['text/plain'],
          skills: [{ id: 's', name: 'S', description: 'Does it.', tags: ['t'] }],
        }),
      );
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    const { id, method } = JSON.parse(body) as { id: unknown; method: string };
    if (method === 'tasks/get') {
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ jsonrpc: '2.0', id, result: this.#task }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    const opened = { stream: response, id };
    // A resubscription of 0.3 begins with what comes next.
    if (method === 'message/stream') {
      this.#latest = opened;
      this.#say(this.#task);
    }
    const waiter = this.#streams.shift();
    if (waiter === undefined) this.#waiting.push(opened);
    else {
      this.#latest = opened;
      waiter(response);
    }
  }
}

let app: App;
let agent: V03Agent;
let base: string;

beforeAll(async () => {
  agent = new V03Agent();
  await agent.start();
  app = await startTestApp();
  base = `${app.addresses.url}a2a/${await importAgent(app.addresses.url, agent.url)}`;
});
afterAll(async () => {
  await app?.close();
  await agent?.close();
});

const open = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(base, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

/** The artifact as a client of 0.3 keeps it: what is appended goes to the end, anything else replaces it. */
function keep(parts: readonly string[], { data: { result } }: StreamedEvent): readonly string[] {
  const textsOf = (artifact: any): string[] => artifact.parts.map((part: any) => part.text);
  if (result.kind === 'task') return (result.artifacts ?? []).flatMap(textsOf);
  if (result.kind !== 'artifact-update') return parts;
  return result.append ? [...parts, ...textsOf(result.artifact)] : textsOf(result.artifact);
}

test('a reader of 0.3 that goes on after a recovery has the whole artifact, though chunks fell into the gap', async () => {
  const message = {
    kind: 'message',
    messageId: crypto.randomUUID(),
    role: 'user',
    parts: [{ kind: 'text', text: 'go' }],
  };
  const streaming = open(rpc('message/stream', { message }));
  await agent.opened();
  agent.texts = ['a'];
  agent.chunk('a', false);
  const reader = readEvents(await streaming);
  let kept: readonly string[] = [];
  let cursor = '';
  let taskId = '';
  while (kept.length === 0) {
    const [event] = await take(reader, 1);
    kept = keep(kept, event!);
    cursor = event!.id!;
    taskId = event!.data['result'].id ?? event!.data['result'].taskId;
  }
  await reader.return();

  // Whoever drove the task is gone: b is said to nobody. Another replica takes over, and asks for the task.
  agent.texts = ['a', 'b'];
  await app.database.query(
    `update task set lease_until = now() - interval '1 second', lease_replica = gen_random_uuid() where id = $1`,
    [taskId],
  );
  await app.core.tasks.recover();
  await agent.opened();
  // c was said after that question and before the subscription.
  agent.texts = ['a', 'b', 'c', 'd'];
  agent.chunk('d');
  const again = open(rpc('tasks/resubscribe', { id: taskId }), { 'last-event-id': cursor });
  agent.finish();
  const events = await eventsOf(await again);
  for (const event of events) kept = keep(kept, event);
  expect(events.at(-1)!.data['result']).toMatchObject({ kind: 'status-update', final: true });
  expect(kept).toEqual(['a', 'b', 'c', 'd']);
  const { body } = await post(base, rpc('tasks/get', { id: taskId }));
  expect(body['result'].artifacts[0].parts.map((part: any) => part.text)).toEqual(kept);
});
