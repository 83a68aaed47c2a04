import type { ExecutionResult } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { ExecRequest } from '../engine.ts';
import { forwardedHeaders } from './headers.ts';
import type { RemoteOptions } from './options.ts';
import { queuedStream } from './queued-stream.ts';
import { payloadOf } from './sending.ts';

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
  return queuedStream(options, onEnd, (sink) => {
    const unsubscribe = client.subscribe(payloadOf(request) as { query: string }, sink as never);
    return () => {
      unsubscribe();
      void client.dispose();
    };
  });
}
