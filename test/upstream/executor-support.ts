import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StreamEvent } from '../../src/protocol/a2a/model.ts';
import type { Credentials } from '../../src/upstream/credentials.ts';
import type { UpstreamAgent, UpstreamTarget } from '../../src/upstream/executor.ts';
import { createExecutors, type ExecutorOptions, type Executors } from '../../src/upstream/executors.ts';
import { egressWith, httpServer, type TestServer } from './egress-support.ts';

export const executors = (options: Partial<ExecutorOptions> = {}): Executors =>
  createExecutors({ egress: egressWith(), timing: { first: 5, longest: 20, patience: 1_000 }, ...options });

export const target = (
  agent: Partial<UpstreamAgent>,
  authentication: Credentials = { type: 'none' },
): UpstreamTarget => ({
  agent: {
    id: 'a1',
    handle: 'agent-one',
    executionType: 'a2a',
    url: null,
    interfaces: [],
    streaming: false,
    ...agent,
  },
  authentication,
});

export const text = (it: string) => ({
  message: { messageId: 'm1', role: 'user' as const, parts: [{ text: it }] },
});

export const call = (more: { extensions?: readonly string[] } = {}) => ({
  signal: new AbortController().signal,
  ...more,
});

/** Sends and collects everything that comes. */
export async function send(
  all: Executors,
  to: UpstreamTarget,
  request: Parameters<ReturnType<Executors['forAgent']>['send']>[1] = text('hello'),
  more: { extensions?: readonly string[] } = {},
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of all.forAgent(to.agent).send(to, request, call(more))) events.push(event);
  return events;
}

interface Rpc {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** An agent of few words: answers JSON-RPC calls with what `answer` says. */
export async function rpcAgent(
  answer: (rpc: Rpc, request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<TestServer & { readonly calls: Rpc[] }> {
  const calls: Rpc[] = [];
  const server: TestServer = await httpServer((request, response) => {
    const rpc = JSON.parse(server.requests.at(-1)!.body) as Rpc;
    calls.push(rpc);
    const result = answer(rpc, request, response);
    if (result === undefined) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result }));
  });
  return { ...server, calls };
}

export const done = { task: { id: 't1', contextId: 'c1', status: { state: 'TASK_STATE_COMPLETED' } } };
