import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ClientKind, Hook } from './clients/client.ts';

/** One push notification as it came. */
export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** A webhook of one test. */
export interface TestHook extends Hook {
  readonly deliveries: readonly Delivery[];
  /** Resolves when a delivery is as asked, also one that came before. */
  until(wanted: (delivery: Delivery) => boolean): Promise<void>;
}

/** A server of webhooks on loopback. */
export async function startHooks() {
  const taken = new Map<string, (delivery: Delivery) => void>();
  const all: { readonly webhook: ClientKind['webhook']; readonly body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    const take = taken.get(request.url ?? '');
    const body = await text(request);
    take?.({ headers: request.headers, body: JSON.parse(body) as unknown });
    response.writeHead(take === undefined ? 404 : 204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    /** Everything that hooks got. */
    all,
    /** A hook that is to be told in the words of a dialect. */
    add(webhook: ClientKind['webhook']): TestHook {
      const path = `/${randomUUID()}`;
      const deliveries: Delivery[] = [];
      const waiting = new Set<() => void>();
      taken.set(path, (delivery) => {
        deliveries.push(delivery);
        all.push({ webhook, body: delivery.body });
        for (const check of waiting) check();
      });
      return {
        url: base + path,
        token: `token-${randomUUID()}`,
        credentials: `credentials-${randomUUID()}`,
        deliveries,
        until: (wanted) =>
          new Promise((resolve) => {
            const check = (): void => {
              if (!deliveries.some(wanted)) return;
              waiting.delete(check);
              resolve();
            };
            waiting.add(check);
            check();
          }),
      };
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export type Hooks = Awaited<ReturnType<typeof startHooks>>;
