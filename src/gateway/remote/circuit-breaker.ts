import { RollcallError } from '../../errors.ts';
import type { Send } from './in-flight.ts';

export interface BreakerOptions {
  /** Failures in a row that open the circuit; 10 when left out, 0 switches the breaker off. */
  readonly breakAfter?: number;
  /** Milliseconds it stays open before one request may try; 1,000 when left out. */
  readonly breakForMs?: number;
  /** Milliseconds on a clock that never goes back; for tests. */
  readonly now?: () => number;
}

const COUNTED: ReadonlySet<string> = new Set(['UPSTREAM_UNREACHABLE', 'UPSTREAM_TIMEOUT']);

/**
 * Stops asking a subgraph that does not answer: after several failures in a row requests fail at once with
 * UPSTREAM_UNREACHABLE instead of each waiting for its deadline. After a pause a single request tries; its success
 * closes the circuit. An answer of any kind, also one with errors, proves the subgraph alive.
 */
export function breakCircuit(send: Send, subgraph: string, options: BreakerOptions): Send {
  const { breakAfter = 10, breakForMs = 1_000, now = () => performance.now() } = options;
  if (breakAfter === 0) return send;
  let failures = 0;
  let openUntil = 0;
  let probing = false;
  return async (request) => {
    const open = failures >= breakAfter;
    if (open && (probing || now() < openUntil)) {
      throw new RollcallError(
        'UPSTREAM_UNREACHABLE',
        `Subgraph "${subgraph}" is not answering; it is tried again soon.`,
      );
    }
    if (open) probing = true;
    try {
      const result = await send(request);
      failures = 0;
      return result;
    } catch (thrown) {
      const counted = thrown instanceof RollcallError && COUNTED.has(thrown.code);
      if (counted) {
        failures++;
        openUntil = now() + breakForMs;
      } else if (thrown instanceof RollcallError) failures = 0;
      throw thrown;
    } finally {
      if (open) probing = false;
    }
  };
}
