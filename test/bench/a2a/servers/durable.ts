import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { Pool } from 'undici';
import { listen } from '../../listen.ts';

/**
 * The least that can keep a message: the task is committed before the agent hears of it, and the outcome before the answer.
 * Writes that come together share a statement and a commit. Nothing is checked, translated, owned, streamed, measured or
 * recovered, and one failed write fails its batch: what a durable send costs when that is all there is. A stream goes
 * through as it comes once the task is committed; of its events nothing is kept.
 */
const LANES = 2;
const MOST = 256;
const agent = new URL(process.env['AGENT_URL']!);
const upstream = new Pool(agent.origin, { pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
const database = new pg.Pool({ connectionString: process.env['DATABASE_URL']!, max: 2 * LANES });

const TABLES = `
  create table kept_task (id uuid primary key, context uuid not null, message_id text not null unique, state text not null,
    at timestamptz not null default now(), upstream_id text);
  create table kept_entry (task uuid not null, place int not null, payload json not null, primary key (task, place))`;
const BEGIN = `with given as (select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::json[]) as g(id, context, message, payload)),
  made as (insert into kept_task (id, context, message_id, state) select id, context, message, 'submitted' from given)
  insert into kept_entry (task, place, payload) select id, 1, payload from given`;
const END = `with given as (select * from unnest($1::uuid[], $2::text[], $3::text[], $4::json[]) as g(id, state, upstream, payload)),
  moved as (update kept_task t set state = g.state, upstream_id = g.upstream, at = now() from given g where t.id = g.id)
  insert into kept_entry (task, place, payload) select id, 2, payload from given`;

type Row = readonly [string, string, string, string];

interface Waiting {
  readonly row: Row;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A function that writes a row, together with those that came while the last statement ran. */
function grouped(name: string, text: string): (row: Row) => Promise<void> {
  const waiting: Waiting[] = [];
  let running = 0;
  const flush = async (): Promise<void> => {
    if (running === LANES || waiting.length === 0) return;
    const batch = waiting.splice(0, MOST);
    running++;
    try {
      await database.query({ name, text, values: [0, 1, 2, 3].map((i) => batch.map(({ row }) => row[i])) });
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    running--;
    void flush();
  };
  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject });
      if (waiting.length === 1) setImmediate(flush);
    });
}

const begin = grouped('begin', BEGIN);
const end = grouped('end', END);

interface Asked {
  readonly id: unknown;
  readonly method: string;
  readonly params: { readonly message: { readonly messageId: string } };
}

const askAgent = (method: string, message: unknown) =>
  upstream.request({
    path: agent.pathname,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { message } }),
  });

async function answer({ id: requestId, method, params }: Asked, response: ServerResponse): Promise<void> {
  const { message } = params;
  const id = randomUUID();
  const contextId = randomUUID();
  await begin([id, contextId, message.messageId, JSON.stringify(message)]);
  const said = await askAgent(method, message);
  if (method === 'SendStreamingMessage') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    return pipeline(said.body, response);
  }
  const { task } = JSON.parse(await said.body.text()).result;
  await end([id, task.status.state, task.id, JSON.stringify({ status: task.status, artifacts: task.artifacts })]);
  const result = { task: { ...task, id, contextId, history: [message] } };
  const text = JSON.stringify({ jsonrpc: '2.0', id: requestId, result });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

await database.query(TABLES);
listen((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    answer(JSON.parse(Buffer.concat(chunks).toString()), response).catch((error: unknown) => {
      process.stderr.write(`${error}\n`);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
});
