import { DefaultRequestHandler, InMemoryTaskStore } from 'a2a-sdk-0.3/server';
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from 'a2a-sdk-0.3/server/express';
import { type AgentKind, listen, type ReceivedBody } from './agent.ts';
import { Behaviour } from './behaviour.ts';
import { recordingApp } from './express.ts';
import { plainExecutor } from './plain-executor.ts';

const kind = (name: string, transport: 'JSONRPC' | 'HTTP+JSON'): AgentKind => ({
  name,
  speaks: { binding: transport, protocolVersion: '0.3.0', dialect: '0.3' },
  schema: transport === 'JSONRPC' ? '0.3' : undefined,
  messageIds: true,
  names: transport === 'JSONRPC',
  async start() {
    const behaviour = new Behaviour();
    const received: ReceivedBody[] = [];
    const server = await listen((url) => {
      const card = {
        name: 'Agent of 0.3',
        description: 'The SDK 0.3.14 as a server.',
        url: `${url}a2a`,
        preferredTransport: transport,
        version: '1.0.0',
        protocolVersion: '0.3.0',
        capabilities: { streaming: true, pushNotifications: false },
        defaultInputModes: ['text/plain'],
        defaultOutputModes: ['text/plain'],
        skills: [{ id: 'echo', name: 'Echo', description: 'Says it again.', tags: ['test'] }],
      };
      const requestHandler = new DefaultRequestHandler(
        card,
        new InMemoryTaskStore(),
        plainExecutor(behaviour) as never,
      );
      const shared = { requestHandler, userBuilder: UserBuilder.noAuthentication };
      const app = recordingApp(received);
      app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }));
      app.use('/a2a', transport === 'JSONRPC' ? jsonRpcHandler(shared) : restHandler(shared));
      return app;
    });
    return { ...server, endpoint: `${server.url}a2a`, behaviour, received };
  },
});

export const sdk03 = [kind('0.3.14 rpc', 'JSONRPC'), kind('0.3.14 rest', 'HTTP+JSON')];
