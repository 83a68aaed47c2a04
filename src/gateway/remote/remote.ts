import type { SubgraphExecutor } from '../engine.ts';
import { breakCircuit, type Circuit } from './circuit-breaker.ts';
import { createHttpTransport } from './http.ts';
import { shareInFlight } from './in-flight.ts';
import { checkRemoteOptions, type RemoteOptions } from './options.ts';
import { retryUnreachable } from './retry.ts';
import { sendingOf } from './sending.ts';
import { subscribeOverSse } from './server-sent-events.ts';
import { shareStreams } from './share-streams.ts';
import { subscribeOverWebSocket } from './websocket.ts';

/**
 * A subgraph on the other end of a network; `circuit` is what others who call it share with this one. Throws
 * `INVALID_INPUT` for options that cannot work.
 */
export function remoteExecutor(options: RemoteOptions, circuit?: Circuit): SubgraphExecutor {
  checkRemoteOptions(options);
  const http = createHttpTransport(options);
  // From the inside: one attempt, the count of failures, further attempts, one attempt for all who ask the same.
  const alone = retryUnreachable(
    breakCircuit((request) => http.send(request), options.name, options, circuit),
    options,
  );
  // A header of the answer is for one caller's response alone: such answers are not shared.
  const send = (options.returnHeaders ?? []).length > 0 ? alone : shareInFlight(alone);
  const streams = new Set<AsyncIterator<unknown>>();
  const subscriptionsUrl = options.subscriptionsUrl ?? options.url.replace(/^http/, 'ws');
  const transport = /^ws/.test(subscriptionsUrl) ? subscribeOverWebSocket : subscribeOverSse;
  const subscribe = shareStreams((request) => {
    const stream = transport(subscriptionsUrl, options, request, () => void streams.delete(stream));
    streams.add(stream);
    return stream;
  }, options);
  return {
    inProcess: false,
    execute(request) {
      if (request.operationType !== 'subscription') return send(sendingOf(request, options));
      request.signal?.throwIfAborted();
      return subscribe(request);
    },
    async close() {
      await Promise.all([...streams].map((stream) => stream.return?.()));
      await http.close();
    },
  };
}
