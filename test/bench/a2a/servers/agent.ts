import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { listen } from '../../listen.ts';
import { chunkText, clock, echoOf, HOLD, STREAM } from '../wire.ts';

/**
 * The agent behind Rollcall and behind the pass-through: A2A 1.0 over JSON-RPC with nothing but node:http, so that its
 * own time is as small a part of the answer as can be. It echoes; `stream <n>` is answered with so many chunks, one a
 * turn of the event loop; `hold` keeps its stream open for chunks that /drip sends and /finish ends.
 */
const SLOT_MS = 10;
const ARTIFACT = 'out';

interface Held {
  readonly event: (result: unknown) => string;
  readonly response: ServerResponse;
  readonly ids: { readonly taskId: string; readonly contextId: string };
  chunks: number;
}
const held = new Set<Held>();

const status = (state: string) => ({ state: `TASK_STATE_${state}`, timestamp: new Date().toISOString() });

function json(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

async function stream(id: unknown, text: string, response: ServerResponse): Promise<void> {
  const ids = { taskId: randomUUID(), contextId: randomUUID() };
  const event = (result: unknown): string => `data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`;
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(event({ task: { id: ids.taskId, contextId: ids.contextId, status: status('WORKING') } }));
  const one: Held = { event, response, ids, chunks: 0 };
  if (text === HOLD) {
    held.add(one);
    response.on('close', () => held.delete(one));
    return;
  }
  const count = text.startsWith(STREAM) ? Number(text.slice(STREAM.length)) : 0;
  if (count === 0) send(one, echoOf(text));
  for (let n = 0; n < count && !response.destroyed; n++) {
    await nextTurn();
    if (!send(one, chunkText(n))) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  finish(one);
}

function send(one: Held, text: string): boolean {
  const append = one.chunks++ > 0;
  const artifact = { artifactId: ARTIFACT, parts: [{ text }] };
  return one.response.write(one.event({ artifactUpdate: { ...one.ids, artifact, append, lastChunk: false } }));
}

function finish(one: Held): void {
  one.response.end(one.event({ statusUpdate: { ...one.ids, status: status('COMPLETED') } }));
}

/** Sends a chunk with the time on each held stream every `everyMs`, spread evenly, for `ms`. Answers how many it sent. */
async function drip(ms: number, everyMs: number): Promise<number> {
  const streams = [...held];
  const slots = Math.max(1, Math.round(everyMs / SLOT_MS));
  let sent = 0;
  let slot = 0;
  const until = performance.now() + ms;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (let i = slot % slots; i < streams.length; i += slots) {
        send(streams[i]!, String(clock()));
        sent++;
      }
      slot++;
      if (performance.now() < until) return;
      clearInterval(timer);
      resolve();
    }, SLOT_MS);
  });
  return sent;
}

async function answer(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') return json(response, {});
  const url = new URL(request.url!, 'http://agent');
  if (url.pathname === '/drip') {
    const number = (name: string): number => Number(url.searchParams.get(name));
    return json(response, { streams: held.size, sent: await drip(number('ms'), number('everyMs')) });
  }
  if (url.pathname === '/finish') {
    for (const one of held) finish(one);
    return json(response, {});
  }
  const { id, method, params } = JSON.parse(body);
  if (method === 'SendStreamingMessage') return stream(id, params.message.parts[0].text, response);
  if (method !== 'SendMessage')
    return json(response, { jsonrpc: '2.0', id, error: { code: -32601, message: `no method ${method}` } });
  const parts = [{ text: echoOf(params.message.parts[0].text) }];
  const task = {
    id: randomUUID(),
    contextId: randomUUID(),
    status: status('COMPLETED'),
    artifacts: [{ artifactId: ARTIFACT, parts }],
  };
  return json(response, { jsonrpc: '2.0', id, result: { task } });
}

listen((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    answer(request, Buffer.concat(chunks).toString(), response).catch((error: unknown) => {
      process.stderr.write(`${error}\n`);
      response.destroy();
    });
  });
});
