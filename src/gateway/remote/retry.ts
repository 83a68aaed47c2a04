import { setTimeout as delay } from 'node:timers/promises';
import { RollcallError } from '../../errors.ts';
import type { Send } from './in-flight.ts';

export interface RetryOptions {
  /** Further attempts after the first; 1 when left out, 0 switches retries off. */
  readonly retries?: number;
  /** Milliseconds before the first further attempt, doubled for each one after, with jitter; 50 when left out. */
  readonly retryDelayMs?: number;
}

/**
 * Sends a query again when the subgraph could not be reached. Not after a timeout (waiting twice helps nobody), not for
 * a wrong answer (it would be wrong again), and never a mutation: it may have been done.
 */
export function retryUnreachable(send: Send, { retries = 1, retryDelayMs = 50 }: RetryOptions): Send {
  return async (request) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await send(request);
      } catch (thrown) {
        const unreachable = thrown instanceof RollcallError && thrown.code === 'UPSTREAM_UNREACHABLE';
        if (!unreachable || request.operationType !== 'query' || attempt >= retries) throw thrown;
      }
      const wait = retryDelayMs * 2 ** attempt * (0.5 + Math.random() / 2);
      await delay(wait, undefined, request.signal ? { signal: request.signal } : {});
    }
  };
}
