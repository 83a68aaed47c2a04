import type { SubgraphExecutor } from '../engine.ts';
import { breakCircuit } from './circuit-breaker.ts';
import { createHttpTransport } from './http.ts';
import { shareInFlight } from './in-flight.ts';
import { checkRemoteOptions, type RemoteOptions } from './options.ts';
import { retryUnreachable } from './retry.ts';
import { subscribeOverWebSocket } from './websocket.ts';

/** A subgraph on the other end of a network. Throws `INVALID_INPUT` for options that cannot work. */
export function remoteExecutor(options: RemoteOptions): SubgraphExecutor {
  checkRemoteOptions(options);
  const http = createHttpTransport(options);
  // From the inside: one attempt, the count of failures, further attempts, one attempt for all who ask the same.
  const send = shareInFlight(
    retryUnreachable(
      breakCircuit((request) => http.send(request), options.name, options),
      options,
    ),
    options,
  );
  const streams = new Set<AsyncIterator<unknown>>();
  const subscriptionsUrl = options.subscriptionsUrl ?? options.url.replace(/^http/, 'ws');
  return {
    inProcess: false,
    execute(request) {
      if (request.operationType !== 'subscription') return send(request);
      request.signal?.throwIfAborted();
      const stream = subscribeOverWebSocket(subscriptionsUrl, options, request, () => void streams.delete(stream));
      streams.add(stream);
      return stream;
    },
    async close() {
      await Promise.all([...streams].map((stream) => stream.return?.()));
      await http.close();
    },
  };
}
