import { createRequire } from 'node:module';
import { A2AExpressApp, DefaultRequestHandler, InMemoryTaskStore } from 'a2a-sdk-0.2/server';
import type { AgentKind, ReceivedBody } from './agent.ts';
import { listen } from './agent.ts';
import { Behaviour } from './behaviour.ts';
import { recordingApp } from './express.ts';
import { plainExecutor } from './plain-executor.ts';

/** The SDK 0.2.5 is made for express 4, which it brings along. */
const itself = createRequire(import.meta.url).resolve('a2a-sdk-0.2/server');

export const sdk02: AgentKind = {
  name: '0.2.5 rpc',
  speaks: { binding: 'JSONRPC', protocolVersion: '0.2.5', dialect: '0.3' },
  schema: '0.3',
  messageIds: true,
  names: true,
  async start() {
    const behaviour = new Behaviour();
    const received: ReceivedBody[] = [];
    const server = await listen((url) => {
      const card = {
        name: 'Agent of 0.2.5',
        description: 'The SDK 0.2.5 as a server.',
        url: `${url}rpc/`,
        version: '1.0.0',
        protocolVersion: '0.2.5',
        capabilities: { streaming: true, pushNotifications: false },
        defaultInputModes: ['text/plain'],
        defaultOutputModes: ['text/plain'],
        skills: [{ id: 'echo', name: 'Echo', description: 'Says it again.', tags: ['test'] }],
      };
      const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), plainExecutor(behaviour) as never);
      const app = recordingApp(received, itself);
      const served = new A2AExpressApp(handler);
      served.setupRoutes(app as never, '/rpc');
      // Its clients look for the card below the base, not below the endpoint.
      served.setupRoutes(app as never, '');
      return app;
    });
    return { ...server, endpoint: `${server.url}rpc/`, behaviour, received };
  },
};
