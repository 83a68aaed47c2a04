import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type CardHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback that answers cards as a test wants them: by path. */
export interface CardServer {
  /** Ends in "/". */
  readonly url: string;
  /** Answers this path from now on. */
  on(path: string, handler: CardHandler | object | string): void;
  close(): Promise<void>;
}

export async function startCardServer(): Promise<CardServer> {
  const handlers = new Map<string, CardHandler>();
  const server: Server = createServer((request, response) => {
    const handler = handlers.get(new URL(request.url!, 'http://x').pathname);
    if (handler === undefined) response.writeHead(404).end();
    else handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    on(path, answer) {
      handlers.set(
        path,
        typeof answer === 'function'
          ? (answer as CardHandler)
          : (_request, response) =>
              response
                .setHeader('content-type', 'application/json')
                .end(typeof answer === 'string' ? answer : JSON.stringify(answer)),
      );
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** A valid 1.0 card. */
export const cardV1 = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'Weather',
  description: 'Tells the weather.',
  version: '1.2.0',
  supportedInterfaces: [{ url: 'http://127.0.0.1:9/rpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: { streaming: true },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [{ id: 'forecast', name: 'Forecast', description: 'The weather of tomorrow', tags: ['weather'] }],
  ...more,
});
