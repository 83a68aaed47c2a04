import type { ExecutionResult } from 'graphql';
import type { ExecRequest } from '../engine.ts';
import { copyJson } from '../plan/merge.ts';
import { forwardedHeaders } from './headers.ts';
import { textOf } from './http.ts';
import type { RemoteOptions } from './options.ts';

export type Send = (request: ExecRequest) => Promise<ExecutionResult>;

interface Flight {
  readonly answer: Promise<ExecutionResult>;
  readonly controller: AbortController;
  readers: number;
  /** Once it has had a second reader, nobody may change the answer itself. */
  shared: boolean;
}

/**
 * Equal queries that are under way at the same time are sent once. Equal means: the same caller, the same forwarded
 * headers, the same text and variables; so nobody ever sees an answer that was made for someone else. Every reader
 * gets a copy of its own, and the request is aborted only when its last reader has gone. Mutations are never shared.
 */
export function shareInFlight(send: Send, options: RemoteOptions): Send {
  const flights = new Map<string, Flight>();
  return async (request) => {
    if (request.operationType !== 'query') return send(request);
    request.signal?.throwIfAborted();
    const key = JSON.stringify([
      request.context.principalKey,
      Object.entries(forwardedHeaders(options, request.context)).sort(),
      textOf(request.document),
      request.operationName ?? null,
      request.variables ?? {},
    ]);
    const running = flights.get(key);
    const flight = running ?? depart(key, request);
    if (running !== undefined) running.shared = true;
    flight.readers++;
    try {
      const result = await untilAborted(flight.answer, request.signal);
      return flight.shared ? copyResult(result) : result;
    } finally {
      flight.readers--;
      if (flight.readers === 0) {
        if (flights.get(key) === flight) flights.delete(key);
        flight.controller.abort();
      }
    }
  };

  function depart(key: string, request: ExecRequest): Flight {
    const controller = new AbortController();
    const answer = send({ ...request, signal: controller.signal });
    const flight: Flight = { answer, controller, readers: 0, shared: false };
    flights.set(key, flight);
    const land = () => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    answer.then(land, land);
    return flight;
  }
}

const copyResult = ({ data, errors }: ExecutionResult): ExecutionResult => ({
  ...(data === undefined ? {} : { data: copyJson(data) }),
  ...(errors === undefined ? {} : { errors }),
});

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
