import { Client, credentials } from '@grpc/grpc-js';
import WebSocket from 'ws';
import { SCOPES } from '../../../../src/auth/principal.ts';
import { type CardServer, startCardServer } from '../../../support/card-server.ts';
import { type ServerProcess, startServerProcess } from '../../../support/server-process.ts';
import { TEST_SECRET, tokenFor } from '../../../support/tokens.ts';

/** A server in a process of its own, with something in it for requests to be about. */
export interface Target {
  readonly url: string;
  readonly a2aGrpc: Client;
  readonly flyteGrpc: Client;
  readonly token: string;
  readonly agentId: string;
  readonly taskId: string;
  readonly cards: CardServer;
  readonly server: ServerProcess;
  /** Bytes of JavaScript objects that are in use after a garbage collection. */
  heap(): Promise<number>;
  close(): Promise<void>;
}

const SUBJECT = '11111111-1111-4111-8111-111111111111';

export async function startTarget(): Promise<Target> {
  const token = await tokenFor(SUBJECT, SCOPES);
  const cards = await startCardServer();
  const server = startServerProcess({
    NODE_OPTIONS: '--inspect=127.0.0.1:0',
    DATABASE_URL: 'memory://',
    AUTH_MODE: 'jwt',
    AUTH_SECRET: TEST_SECRET,
    FLYTE_PRINCIPAL: SUBJECT,
    EGRESS_ALLOW: '127.0.0.1/32',
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_CALLER: '0',
    RATE_LIMIT_PER_ADDRESS: '0',
    MAX_STREAMS_PER_CALLER: '0',
    MAX_SOCKETS_PER_CALLER: '0',
    MAX_RUNNING_TASKS_PER_CALLER: '0',
    MAX_PUSH_CONFIGS_PER_CALLER: '0',
  });
  const url = await server.url();
  const graph = async (query: string, variables: object): Promise<any> => {
    const response = await fetch(`${url}graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as any;
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  };
  const { registerAgent } = await graph(
    'mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id } }',
    {
      input: {
        name: 'Target',
        executionType: 'ECHO',
        flyteName: 'target',
        taskCategories: [{ name: 'target_task' }],
        skills: [{ key: 'hit', name: 'Hit' }],
      },
    },
  );
  const { sendMessage } = await graph(
    'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id } } }',
    { input: { agentId: registerAgent.id, text: 'ask: more?' } },
  );
  const connect = (pattern: RegExp): Client =>
    new Client(pattern.exec(server.stdout())![1]!, credentials.createInsecure());
  const a2aGrpc = connect(/A2A gRPC\s+(\S+)/);
  const flyteGrpc = connect(/Flyte\s+(\S+:\d+)/);
  const inspector = /ws:\/\/\S+/.exec(server.stderr())![0];
  return {
    url,
    a2aGrpc,
    flyteGrpc,
    token,
    agentId: registerAgent.id,
    taskId: sendMessage.task.id,
    cards,
    server,
    heap: () => heapOf(inspector),
    async close() {
      a2aGrpc.close();
      flyteGrpc.close();
      await server.stop();
      await cards.close();
    },
  };
}

/** Collections after which what is left counts, whether it still becomes less or not. */
const MOST_COLLECTIONS = 10;
/** What a collection gives back that has nothing left to find. */
const SETTLED_BYTES = 1024 * 1024;

/** Asks Node's inspector to collect garbage until that changes nothing, and what is left. */
async function heapOf(inspector: string): Promise<number> {
  const socket = new WebSocket(inspector);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const ask = (id: number, method: string): Promise<any> =>
    new Promise((resolve) => {
      const listen = (data: WebSocket.RawData): void => {
        const answer = JSON.parse(String(data)) as { id?: number; result: unknown };
        if (answer.id !== id) return;
        socket.off('message', listen);
        resolve(answer.result);
      };
      socket.on('message', listen);
      socket.send(JSON.stringify({ id, method }));
    });
  // One collection leaves much of what was made since the one before: it is lost only when several do.
  let id = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let before = Number.POSITIVE_INFINITY, n = 0; n < MOST_COLLECTIONS; n++, before = least) {
    await ask(++id, 'HeapProfiler.collectGarbage');
    least = Math.min(least, (await ask(++id, 'Runtime.getHeapUsage')).usedSize);
    if (before - least < SETTLED_BYTES) break;
  }
  socket.close();
  return least;
}
