import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { AgentCard, Message, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from '@a2a-js/sdk';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  type RequestContext,
} from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import type { Metadata } from '@grpc/grpc-js';
import { type SdkGrpc, startSdkGrpc } from './sdk-grpc.ts';

/** As much of express as is used here: it ships no types. */
type Handler = (request: IncomingMessage & { body?: unknown }, response: ServerResponse, next: () => void) => void;
type App = RequestListener & {
  use(handler: unknown): void;
  use(path: string, handler: unknown): void;
};
const express = createRequire(import.meta.url)('express') as (() => App) & { json(options: object): Handler };

/** A request that reached the agent. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: { readonly method?: string; readonly params?: Record<string, unknown> };
}

/** A third-party agent on loopback: the A2A project's own server, with behaviours chosen by the text of the message. */
export interface SdkAgent {
  /** Ends in `/`; the card is below it. */
  readonly url: string;
  /** The JSON-RPC endpoint, of 1.0 and 0.3. */
  readonly rpcUrl: string;
  /** The base of the HTTP+JSON binding of 1.0. */
  readonly restUrl: string;
  /** The gRPC binding of 1.0, where it was asked for; its calls are not among the requests. */
  readonly grpc: SdkGrpc | undefined;
  /** Every request, oldest first. */
  readonly requests: SeenRequest[];
  /** How many messages were worked on. */
  executions(): number;
  /** Resolves when so many messages with the text "wait" are being worked on; one unless said. */
  waiting(count?: number): Promise<void>;
  /** Lets one "wait" go on; it completes. */
  release(): void;
  close(): Promise<void>;
}

const textOf = (message: Message): string =>
  message.parts.map((part) => (part.content?.$case === 'text' ? part.content.value : '')).join('');

class Behaviour implements AgentExecutor {
  executions = 0;
  readonly #gates: (() => void)[] = [];
  readonly #watchers: (() => void)[] = [];
  readonly #canceled = new Set<string>();

  async waiting(count = 1): Promise<void> {
    while (this.#gates.length < count) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  release(): void {
    this.#gates.shift()?.();
  }

  async execute(context: RequestContext, bus: ExecutionEventBus): Promise<void> {
    this.executions++;
    const { taskId, contextId, userMessage } = context;
    const text = textOf(userMessage);
    const [, word = '', rest = ''] = /^([a-z]+):?\s*(.*)$/s.exec(text) ?? [];
    const say = (said: string) => ({
      messageId: randomUUID(),
      role: 'ROLE_AGENT',
      parts: [{ text: said }],
      taskId,
      contextId,
    });
    if (word === 'message') {
      bus.publish(AgentEvent.message(Message.fromJSON({ ...say(rest), taskId: '' })));
      bus.finished();
      return;
    }
    const status = (state: string, said?: string): void =>
      bus.publish(
        AgentEvent.statusUpdate(
          TaskStatusUpdateEvent.fromJSON({
            taskId,
            contextId,
            status: {
              state,
              timestamp: new Date().toISOString(),
              ...(said === undefined ? {} : { message: say(said) }),
            },
          }),
        ),
      );
    const artifact = (parts: unknown[], more: object = {}): void =>
      bus.publish(
        AgentEvent.artifactUpdate(
          TaskArtifactUpdateEvent.fromJSON({
            taskId,
            contextId,
            artifact: { artifactId: 'out', name: 'out', parts },
            ...more,
          }),
        ),
      );
    bus.publish(
      AgentEvent.task(
        context.task ??
          Task.fromJSON({
            id: taskId,
            contextId,
            status: { state: 'TASK_STATE_SUBMITTED', timestamp: new Date().toISOString() },
            history: [Message.toJSON(userMessage)],
          }),
      ),
    );
    status('TASK_STATE_WORKING');
    switch (word) {
      case 'stream': {
        const words = rest.split(' ');
        for (const [i, it] of words.entries()) {
          artifact([{ text: it }], { append: i > 0, lastChunk: i === words.length - 1 });
        }
        status('TASK_STATE_COMPLETED');
        break;
      }
      case 'ask':
        status('TASK_STATE_INPUT_REQUIRED', rest);
        break;
      case 'fail':
        status('TASK_STATE_FAILED', rest);
        break;
      case 'wait':
        await new Promise<void>((resolve) => {
          this.#gates.push(resolve);
          for (const watcher of this.#watchers.splice(0)) watcher();
        });
        if (!this.#canceled.has(taskId)) {
          artifact([{ text: 'waited' }]);
          status('TASK_STATE_COMPLETED');
        }
        break;
      default:
        artifact([{ text: `echo: ${text}` }]);
        status('TASK_STATE_COMPLETED', 'done');
    }
    bus.finished();
  }

  async cancelTask(taskId: string, bus: ExecutionEventBus): Promise<void> {
    this.#canceled.add(taskId);
    bus.publish(
      AgentEvent.statusUpdate(
        TaskStatusUpdateEvent.fromJSON({ taskId, contextId: '', status: { state: 'TASK_STATE_CANCELED' } }),
      ),
    );
    for (const gate of this.#gates.splice(0)) gate();
  }
}

export interface SdkAgentOptions {
  readonly streaming?: boolean;
  /** Answers false to refuse a request with 401. */
  readonly authorize?: (request: IncomingMessage) => boolean;
  /** Serves gRPC too, first in the card; "only" lists nothing else; a function answers false to refuse a call. */
  readonly grpc?: boolean | 'only' | ((metadata: Metadata) => boolean);
}

/** Starts an {@link SdkAgent} on a free port. */
export async function startSdkAgent(options: SdkAgentOptions = {}): Promise<SdkAgent> {
  const behaviour = new Behaviour();
  const requests: SeenRequest[] = [];
  const app = express();
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const card = AgentCard.fromJSON({
    name: 'Third party',
    description: 'An agent of another make.',
    version: '1.2.3',
    supportedInterfaces: [
      { url: `${url}rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url: `${url}rpc`, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
      { url: `${url}rest`, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
    ],
    capabilities: { streaming: options.streaming ?? true, pushNotifications: false },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'echo', name: 'Echo', description: 'Says it again.', tags: ['test'] }],
  });
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), behaviour);
  let grpc: SdkGrpc | undefined;
  if (options.grpc) {
    grpc = await startSdkGrpc(requestHandler, typeof options.grpc === 'function' ? options.grpc : undefined);
    if (options.grpc === 'only') card.supportedInterfaces.length = 0;
    card.supportedInterfaces.unshift({
      url: grpc.address,
      protocolBinding: 'GRPC',
      protocolVersion: '1.0',
      tenant: '',
    });
  }
  const shared = { requestHandler, userBuilder: UserBuilder.noAuthentication };
  app.use(express.json({ type: ['application/json', 'application/a2a+json'], limit: '20mb' }));
  const watch: Handler = (request, response, next) => {
    requests.push({
      path: request.url ?? '',
      headers: request.headers,
      body: (request.body ?? {}) as SeenRequest['body'],
    });
    if (options.authorize?.(request) === false) response.writeHead(401).end();
    else next();
  };
  app.use(watch);
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }));
  app.use('/rpc', jsonRpcHandler({ ...shared, legacyCompat: { enabled: true } }));
  app.use('/rest', restHandler(shared));
  return {
    url,
    rpcUrl: `${url}rpc`,
    restUrl: `${url}rest`,
    grpc,
    requests,
    executions: () => behaviour.executions,
    waiting: (count) => behaviour.waiting(count),
    release: () => behaviour.release(),
    close: () =>
      new Promise((resolve) => {
        grpc?.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
