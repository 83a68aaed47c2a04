import type { ExecutionResult } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { RollcallError } from '../../errors.ts';
import type { ExecRequest } from '../engine.ts';
import { EventQueue } from './event-queue.ts';
import { forwardedHeaders } from './headers.ts';
import { payloadOf } from './http.ts';
import type { RemoteOptions } from './options.ts';
import { readResponse } from './response.ts';

/**
 * One subscription over graphql-transport-ws, on a connection of its own: a connection carries one caller's
 * credentials (in the upgrade request and again as `connectionParams`, where browsers would put them), so callers
 * never share one. A lost connection ends the stream with an error: only the caller knows where to resume.
 */
export function subscribeOverWebSocket(
  url: string,
  options: RemoteOptions,
  request: ExecRequest,
  onEnd: () => void,
): AsyncIterableIterator<ExecutionResult, undefined> {
  const headers = forwardedHeaders(options, request.context);
  class Socket extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols, {
        headers,
        handshakeTimeout: options.timeoutMs ?? 10_000,
        maxPayload: options.maxResponseBytes ?? 32 * 1024 * 1024,
      });
    }
  }
  const client = createClient({
    url,
    webSocketImpl: Socket,
    connectionParams: headers,
    lazy: true,
    retryAttempts: 0,
    connectionAckWaitTimeout: options.timeoutMs ?? 10_000,
    on: { error: () => {} },
  });
  const capacity = options.maxQueuedEvents ?? 1_000;
  let unsubscribe = (): void => {};
  const queue = new EventQueue(capacity, () => {
    onEnd();
    unsubscribe();
    void client.dispose();
  });
  unsubscribe = client.subscribe(payloadOf(request) as { query: string }, {
    next(event) {
      try {
        if (!queue.push(readResponse(event, options.name))) queue.end({ error: tooSlow(capacity) });
      } catch (error) {
        queue.end({ error });
      }
    },
    error: (thrown) => queue.end({ error: failure(thrown, options.name) }),
    complete: () => queue.end(),
  });
  return queue;
}

export const tooSlow = (capacity: number): RollcallError =>
  new RollcallError('RATE_LIMITED', `The reader is more than ${capacity} events behind: the stream was ended.`);

function failure(thrown: unknown, subgraph: string): unknown {
  // The subgraph refused the operation itself.
  if (Array.isArray(thrown)) {
    const [first] = readResponse({ errors: thrown }, subgraph).errors ?? [];
    if (first !== undefined) return first;
  }
  return new RollcallError('UPSTREAM_UNREACHABLE', `The stream from subgraph "${subgraph}" was lost.`, {
    cause: thrown,
  });
}
