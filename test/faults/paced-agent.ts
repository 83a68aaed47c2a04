import { createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentCard, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from '@a2a-js/sdk';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  type RequestContext,
} from '@a2a-js/sdk/server';
import { jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import { connectToTest, type Order, type Work } from './agent-protocol.ts';

/**
 * The A2A project's own server, as a process: streams chunks at the pace that the message asks for, and keeps an account
 * of what it did. It has a card per interface, below `jsonrpc-1.0/`, `jsonrpc-0.3/` and `rest-1.0/`.
 */

/** As much of express as is used here: it ships no types. */
type App = RequestListener & { use(...handlers: unknown[]): void; get(path: string, handler: unknown): void };
type Answer = { json(value: unknown): void };
const express = createRequire(import.meta.url)('express') as (() => App) & { json(options: object): unknown };

const work: Record<string, Work> = {};
let finished = false;
let releaseAll: () => void = () => undefined;
let released = new Promise<void>((resolve) => {
  releaseAll = resolve;
});

const tell = connectToTest((command) => {
  if (command.type === 'finish') finished = true;
  if (command.type === 'release') releaseAll();
  if (command.type === 'hold') {
    released = new Promise((resolve) => {
      releaseAll = resolve;
    });
  }
  if (command.type === 'report') tell({ type: 'report', work });
});

class Paced implements AgentExecutor {
  async execute({ taskId, contextId, userMessage }: RequestContext, bus: ExecutionEventBus): Promise<void> {
    const { messageId } = userMessage;
    const content = userMessage.parts[0]?.content;
    const order = JSON.parse(content?.$case === 'text' ? content.value : '{}') as Order;
    work[messageId] ??= { executions: 0, chunks: [] };
    const mine = work[messageId];
    mine.executions++;
    mine.chunks = [];
    const status = (state: string): void =>
      bus.publish(AgentEvent.statusUpdate(TaskStatusUpdateEvent.fromJSON({ taskId, contextId, status: { state } })));
    bus.publish(
      AgentEvent.task(Task.fromJSON({ id: taskId, contextId, status: { state: 'TASK_STATE_SUBMITTED' }, history: [] })),
    );
    status('TASK_STATE_WORKING');
    for (let i = 0; order.chunks === undefined ? !finished : i < order.chunks; i++) {
      await delay(order.pace);
      const chunk = `${messageId.slice(0, 8)}/${i} `;
      mine.chunks.push(chunk);
      bus.publish(
        AgentEvent.artifactUpdate(
          TaskArtifactUpdateEvent.fromJSON({
            taskId,
            contextId,
            artifact: { artifactId: 'out', name: 'out', parts: [{ text: chunk }] },
            append: i > 0,
          }),
        ),
      );
    }
    if (order.withhold) {
      tell({ type: 'withheld', messageId });
      await released;
    }
    status('TASK_STATE_COMPLETED');
    bus.finished();
  }

  cancelTask(): Promise<void> {
    return Promise.reject(new Error('nothing is cancelled here'));
  }
}

const INTERFACES = [
  { at: 'jsonrpc-1.0', path: 'rpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
  { at: 'jsonrpc-0.3', path: 'rpc', protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
  { at: 'rest-1.0', path: 'rest', protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
];

const app = express();
const server = createServer(app);
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const cardOf = (interfaces: typeof INTERFACES, name: string) =>
    AgentCard.fromJSON({
      name: `Paced ${name}`,
      description: 'Takes its time.',
      version: '1',
      supportedInterfaces: interfaces.map(({ at: _, path, ...rest }) => ({ ...rest, url: `${url}${path}` })),
      capabilities: { streaming: true },
      defaultInputModes: ['text/plain'],
      defaultOutputModes: ['text/plain'],
      skills: [{ id: 'pace', name: 'Pace', description: 'Streams chunks.', tags: ['test'] }],
    });
  const requestHandler = new DefaultRequestHandler(cardOf(INTERFACES, 'all'), new InMemoryTaskStore(), new Paced());
  const shared = { requestHandler, userBuilder: UserBuilder.noAuthentication };
  app.use(express.json({ type: ['application/json', 'application/a2a+json'], limit: '20mb' }));
  for (const it of INTERFACES) {
    app.get(`/${it.at}/.well-known/agent-card.json`, (_: unknown, answer: Answer) =>
      answer.json(AgentCard.toJSON(cardOf([it], it.at))),
    );
  }
  app.use('/rpc', jsonRpcHandler({ ...shared, legacyCompat: { enabled: true } }));
  app.use('/rest', restHandler(shared));
  tell({ type: 'ready', url });
});
