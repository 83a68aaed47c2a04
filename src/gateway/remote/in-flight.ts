import type { ExecutionResult } from 'graphql';
import { copyResult } from './response.ts';
import { keyOf, type Sending } from './sending.ts';

export type Send = (request: Sending) => Promise<ExecutionResult>;

interface Flight {
  readonly answer: Promise<ExecutionResult>;
  /** Absent where the first reader cannot leave: then it stays, and the request is never aborted. */
  readonly controller: AbortController | undefined;
  readers: number;
  /** Once it has had a second reader, nobody may change the answer itself. */
  shared: boolean;
}

/**
 * Equal queries that are under way at the same time are sent once. Equal means: the same caller, the same forwarded
 * headers, the same text and variables; so nobody ever sees an answer that was made for someone else. Every reader
 * gets a copy of its own, and the request is aborted only when its last reader has gone. Mutations are never shared.
 */
export function shareInFlight(send: Send): Send {
  const flights = new Map<string, Flight>();
  return async (request) => {
    if (request.operationType !== 'query') return send(request);
    request.signal?.throwIfAborted();
    const key = keyOf(request);
    const running = flights.get(key);
    const flight = running ?? depart(key, request);
    if (running !== undefined) running.shared = true;
    flight.readers++;
    try {
      const result = await untilAborted(flight.answer, request.signal);
      return flight.shared ? copyResult(result) : result;
    } finally {
      flight.readers--;
      // After landing there is nothing to abort, and the reason that an abort makes is dear.
      if (flight.readers === 0 && flights.get(key) === flight) {
        flights.delete(key);
        flight.controller?.abort();
      }
    }
  };

  function depart(key: string, request: Sending): Flight {
    const controller = request.signal && new AbortController();
    const answer = send(controller === undefined ? request : { ...request, signal: controller.signal });
    const flight: Flight = { answer, controller, readers: 0, shared: false };
    flights.set(key, flight);
    const land = () => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    answer.then(land, land);
    return flight;
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
