import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectToTest, type Work } from './agent-protocol.ts';

/**
 * An A2A 1.0 agent (JSON-RPC) as a process that can be told to take messages and answer nothing, and a token server
 * (`/token`) that can be told the same: so that a server can be killed when a message is stored but not sent, and when it
 * was sent but not answered.
 */

const work: Record<string, Work> = {};
const done = new Map<string, object>();
let holding = false;

const tell = connectToTest((command) => {
  if (command.type === 'hold') holding = true;
  if (command.type === 'release') holding = false;
  if (command.type === 'report') tell({ type: 'report', work });
});

type Call = { id: unknown; method: string; params: { id?: string; message?: { messageId: string } } };

function answer(response: ServerResponse, { id, method, params }: Call): void {
  const envelope = (result: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, result });
  if (method === 'GetTask') {
    response.setHeader('content-type', 'application/json').end(envelope(done.get(params.id ?? '')));
    return;
  }
  const messageId = params.message?.messageId ?? '';
  work[messageId] ??= { executions: 0, chunks: [] };
  const mine = work[messageId];
  mine.executions++;
  if (holding) {
    tell({ type: 'held', what: 'message', messageId });
    return;
  }
  const ids = { taskId: crypto.randomUUID(), contextId: crypto.randomUUID() };
  const chunk = `${messageId.slice(0, 8)} answered `;
  mine.chunks = [chunk];
  const artifact = { artifactId: 'out', parts: [{ text: chunk }] };
  const completed = { state: 'TASK_STATE_COMPLETED' };
  const task = { id: ids.taskId, contextId: ids.contextId };
  done.set(ids.taskId, { ...task, status: completed, artifacts: [artifact] });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of [
    { task: { ...task, status: { state: 'TASK_STATE_WORKING' } } },
    { artifactUpdate: { ...ids, artifact } },
    { statusUpdate: { ...ids, status: completed } },
  ]) {
    response.write(`data: ${envelope(event)}\n\n`);
  }
  response.end();
}

const server = createServer(async (request, response) => {
  const body: Buffer[] = [];
  for await (const part of request) body.push(part as Buffer);
  if (request.url !== '/token') answer(response, JSON.parse(Buffer.concat(body).toString()) as Call);
  else if (holding) tell({ type: 'held', what: 'token' });
  else response.setHeader('content-type', 'application/json').end('{"access_token":"t","expires_in":3600}');
});
server.listen(0, '127.0.0.1', () => {
  tell({ type: 'ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
});
