import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { AgentCard, Task } from '@a2a-js/sdk';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  type RequestContext,
} from '@a2a-js/sdk/server';
import { jsonRpcHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import { listen } from '../../listen.ts';
import { echoOf } from '../wire.ts';

/**
 * The A2A project's own server with its own store, in memory. It does the work itself: no hop, no database. It says the
 * least that it can, one completed task.
 */
const express = createRequire(import.meta.url)('express') as (() => RequestListener & {
  use(path: string, handler: unknown): void;
}) & { json(): unknown };

const executor: AgentExecutor = {
  async execute({ taskId, contextId, userMessage }: RequestContext, bus: ExecutionEventBus) {
    const { content } = userMessage.parts[0]!;
    const parts = [{ text: echoOf(content?.$case === 'text' ? content.value : '') }];
    const status = { state: 'TASK_STATE_COMPLETED', timestamp: new Date().toISOString() };
    const artifacts = [{ artifactId: randomUUID(), parts }];
    bus.publish(AgentEvent.task(Task.fromJSON({ id: taskId, contextId, status, artifacts })));
    bus.finished();
  },
  async cancelTask() {},
};

const card = AgentCard.fromJSON({
  name: 'Echo',
  description: 'Says it again.',
  version: '1.0.0',
  supportedInterfaces: [{ url: 'http://127.0.0.1/rpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: { streaming: true },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
});
const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor);
const app = express();
app.use('/rpc', express.json());
app.use('/rpc', jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication }));
listen(app);
