import type { SubgraphExecutor } from '../engine.ts';
import { createHttpTransport } from './http.ts';
import { checkRemoteOptions, type RemoteOptions } from './options.ts';
import { subscribeOverWebSocket } from './websocket.ts';

/** A subgraph on the other end of a network. Throws `INVALID_INPUT` for options that cannot work. */
export function remoteExecutor(options: RemoteOptions): SubgraphExecutor {
  checkRemoteOptions(options);
  const http = createHttpTransport(options);
  const streams = new Set<AsyncIterator<unknown>>();
  const subscriptionsUrl = options.subscriptionsUrl ?? options.url.replace(/^http/, 'ws');
  return {
    inProcess: false,
    execute(request) {
      if (request.operationType !== 'subscription') return http.send(request);
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
