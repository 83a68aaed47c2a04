import type { ExecutionResult } from 'graphql';
import { createClient } from 'graphql-sse';
import { Agent, fetch } from 'undici';
import type { ExecRequest } from '../engine.ts';
import { forwardedHeaders } from './headers.ts';
import type { RemoteOptions } from './options.ts';
import { queuedStream } from './queued-stream.ts';
import { payloadOf } from './sending.ts';

/** A stream may be silent for long; without this a connection is cut after five minutes without an event. */
const SILENT_STREAMS = new Agent({ bodyTimeout: 0 });

/**
 * One subscription over server-sent events (graphql-sse protocol, distinct connections mode), on a request of its own,
 * which carries the caller's credentials. A lost connection ends the stream with an error: only the caller knows where
 * to resume.
 */
export function subscribeOverSse(
  url: string,
  options: RemoteOptions,
  request: ExecRequest,
  onEnd: () => void,
): AsyncIterableIterator<ExecutionResult, undefined> {
  const client = createClient({
    url,
    headers: forwardedHeaders(options, request.context),
    retryAttempts: 0,
    fetchFn: ((input: string, init: object) => fetch(input, { ...init, dispatcher: SILENT_STREAMS })) as never,
  });
  return queuedStream(options, onEnd, (sink) => {
    const unsubscribe = client.subscribe(payloadOf(request) as { query: string }, sink as never);
    return () => {
      unsubscribe();
      client.dispose();
    };
  });
}
