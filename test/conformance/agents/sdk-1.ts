import { randomUUID } from 'node:crypto';
import { AgentCard, Part, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from '@a2a-js/sdk';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  type RequestContext,
} from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import { A2AService, grpcService } from '@a2a-js/sdk/server/grpc';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { extras1, part1 } from '../parts.ts';
import { type AgentKind, listen, type ReceivedBody } from './agent.ts';
import { Behaviour, type Voice } from './behaviour.ts';
import { recordingApp } from './express.ts';

class Executor implements AgentExecutor {
  readonly #behaviour: Behaviour;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
  }

  async execute({ taskId, contextId, userMessage, task }: RequestContext, bus: ExecutionEventBus): Promise<void> {
    const status = (state: string, said?: string): void => {
      const message = { messageId: randomUUID(), role: 'ROLE_AGENT', parts: [{ text: said }], taskId, contextId };
      const now = { state: `TASK_STATE_${state}`, timestamp: new Date().toISOString() };
      const update = { taskId, contextId, status: said === undefined ? now : { ...now, message } };
      bus.publish(AgentEvent.statusUpdate(TaskStatusUpdateEvent.fromJSON(update)));
    };
    const voice: Voice = {
      begin: () =>
        bus.publish(
          AgentEvent.task({
            ...Task.fromJSON({
              id: taskId,
              contextId,
              status: { state: 'TASK_STATE_SUBMITTED', timestamp: new Date().toISOString() },
            }),
            history: [userMessage],
          }),
        ),
      working: () => status('WORKING'),
      artifact: (text, { append = false, last = false, extras = [] } = {}) => {
        const artifact = { artifactId: 'out', name: 'out', parts: [{ text }, ...extras.map(part1)] };
        const update = { taskId, contextId, artifact, append, lastChunk: last };
        bus.publish(AgentEvent.artifactUpdate(TaskArtifactUpdateEvent.fromJSON(update)));
      },
      completed: (said) => status('COMPLETED', said),
      asks: (question) => status('INPUT_REQUIRED', question),
      canceled: () => status('CANCELED'),
    };
    const text = userMessage.parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('');
    const { messageId } = userMessage;
    const extras = extras1(userMessage.parts.map((part) => Part.toJSON(part) as object));
    // Unlike the older ones, this server begins every turn with the task as it knows it.
    if (task !== undefined) bus.publish(AgentEvent.task(task));
    await this.#behaviour.run({ text, extras, taskId, contextId, messageId, continues: task !== undefined }, voice);
    bus.finished();
  }

  async cancelTask(taskId: string): Promise<void> {
    this.#behaviour.stop(taskId);
  }
}

type Binding = 'JSONRPC' | 'HTTP+JSON' | 'GRPC';

const cardOf = (url: string, protocolBinding: Binding, protocolVersion: '1.0' | '0.3'): AgentCard =>
  AgentCard.fromJSON({
    name: `Agent of ${protocolVersion}`,
    description: 'The SDK 1.3.0 as a server.',
    version: '1.0.0',
    supportedInterfaces: [{ url, protocolBinding, protocolVersion }],
    capabilities: { streaming: true, pushNotifications: false },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'echo', name: 'Echo', description: 'Says it again.', tags: ['test'] }],
  });

/** gRPC has no card of its own: that is served over HTTP. */
async function serveGrpc(handlerFor: (url: string) => DefaultRequestHandler) {
  const server = new Server();
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const endpoint = `127.0.0.1:${port}`;
  const requestHandler = handlerFor(endpoint);
  server.addService(A2AService, grpcService({ requestHandler, userBuilder: UserBuilder.noAuthentication }));
  return { requestHandler, endpoint, close: () => server.forceShutdown() };
}

const kind = (name: string, binding: Binding, version: '1.0' | '0.3' = '1.0'): AgentKind => ({
  name,
  speaks: { binding, protocolVersion: version, dialect: version },
  schema: binding === 'JSONRPC' && version === '0.3' ? '0.3' : undefined,
  messageIds: true,
  names: binding !== 'HTTP+JSON' || version === '1.0',
  async start() {
    const behaviour = new Behaviour();
    const received: ReceivedBody[] = [];
    const handlerFor = (url: string) =>
      new DefaultRequestHandler(cardOf(url, binding, version), new InMemoryTaskStore(), new Executor(behaviour));
    const grpc = binding === 'GRPC' ? await serveGrpc(handlerFor) : undefined;
    const http = await listen((url) => {
      const requestHandler = grpc?.requestHandler ?? handlerFor(`${url}a2a`);
      const legacyCompat = { enabled: version === '0.3' };
      const shared = { requestHandler, userBuilder: UserBuilder.noAuthentication, legacyCompat };
      const app = recordingApp(received);
      app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }));
      if (binding === 'JSONRPC') app.use('/a2a', jsonRpcHandler(shared));
      if (binding === 'HTTP+JSON') app.use('/a2a', restHandler(shared));
      return app;
    });
    const close = async (): Promise<void> => {
      grpc?.close();
      await http.close();
    };
    return { url: http.url, endpoint: grpc?.endpoint ?? `${http.url}a2a`, behaviour, received, close };
  },
});

export const sdk1 = [
  kind('1.3 rpc', 'JSONRPC'),
  kind('1.3 rest', 'HTTP+JSON'),
  kind('1.3 grpc', 'GRPC'),
  kind('1.3 as 0.3 rpc', 'JSONRPC', '0.3'),
  kind('1.3 as 0.3 rest', 'HTTP+JSON', '0.3'),
];
