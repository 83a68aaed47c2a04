import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UpstreamInterface } from '../../../src/upstream/executor.ts';
import type { Era } from '../published.ts';
import type { Behaviour } from './behaviour.ts';

/** A JSON body that reached an agent. */
export interface ReceivedBody {
  readonly path: string;
  readonly body: unknown;
}

/** An agent of the matrix, running on loopback. */
export interface RunningAgent {
  /** The base of its card. */
  readonly url: string;
  /** Where its interface is. */
  readonly endpoint: string;
  readonly behaviour: Behaviour;
  /** Every JSON body, as it came over HTTP. */
  readonly received: readonly ReceivedBody[];
  close(): Promise<void>;
}

/** One kind of agent: a server, a version and a binding. */
export interface AgentKind {
  /** The heading of its column. */
  readonly name: string;
  /** How its card says that it is spoken to. */
  readonly speaks: Omit<UpstreamInterface, 'url'>;
  /** What its JSON-RPC requests are called, in the published schemas that they must satisfy. */
  readonly schema: Era | undefined;
  /** Whether its messages have ids. */
  readonly messageIds: boolean;
  /** Files have names in its form. */
  readonly names: boolean;
  start(): Promise<RunningAgent>;
}

/** Serves `listenerFor` at a free port of loopback; it is told its own base URL. */
export async function listen(
  listenerFor: (url: string) => RequestListener,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  let listener: RequestListener = (_request, response) => void response.writeHead(503).end();
  const server = createServer((request, response) => listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  listener = listenerFor(url);
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
