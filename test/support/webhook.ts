import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A notification as it arrived. */
export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** As it was on the wire. */
  readonly text: string;
  readonly body: Record<string, any>;
}

/** How a request is answered: a status, or by hand. */
export type Reply = number | ((response: ServerResponse) => void);

export interface Webhook {
  readonly url: string;
  readonly origin: string;
  /** Everything that arrived, in order. */
  readonly received: readonly Received[];
  /** Resolves once so many have arrived. */
  count(n: number): Promise<readonly Received[]>;
  /** Resolves once one of those that arrived is such a one. */
  until(found: (received: Received) => boolean): Promise<Received>;
  /** Most requests that were open at the same time. */
  mostAtOnce(): number;
  close(): Promise<void>;
}

/** A receiver of push notifications on a port of its own. `reply` is asked for each, with its number from 1. */
export async function startWebhook(reply: (received: Received, n: number) => Reply = () => 200): Promise<Webhook> {
  const received: Received[] = [];
  const watchers = new Set<() => void>();
  let open = 0;
  let most = 0;
  const server = createServer((request, response) => {
    most = Math.max(most, ++open);
    response.on('close', () => open--);
    void text(request).then((raw) => {
      const { method, url: path, headers } = request;
      const arrived = { method, path, headers, text: raw, body: JSON.parse(raw) as Record<string, any> };
      received.push(arrived);
      const answer = reply(arrived, received.length);
      if (typeof answer === 'number') response.writeHead(answer).end();
      else answer(response);
      for (const watcher of [...watchers]) watcher();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const when = <T>(look: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const check = (): void => {
        const found = look();
        if (found === undefined) return;
        watchers.delete(check);
        resolve(found);
      };
      watchers.add(check);
      check();
    });
  return {
    url: `${origin}/hook`,
    origin,
    received,
    count: (n) => when(() => (received.length >= n ? received : undefined)),
    until: (found) => when(() => received.find(found)),
    mostAtOnce: () => most,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
