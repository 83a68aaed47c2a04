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

/** What is known of one subgraph's health. */
export interface Circuit {
  failures: number;
  openUntil: number;
  probing: boolean;
}

export const closedCircuit = (): Circuit => ({ failures: 0, openUntil: 0, probing: false });

/**
 * The circuits of all subgraphs, by URL. They outlive one graph: after a swap the old graph's streams learn from the
 * new one's requests that a subgraph is back, and the new graph does not begin by waiting for one that is down.
 */
export class Circuits {
  readonly #byUrl = new Map<string, Circuit>();

  of(url: string): Circuit {
    const circuit = this.#byUrl.get(url) ?? closedCircuit();
    this.#byUrl.set(url, circuit);
    return circuit;
  }
}

const COUNTED: ReadonlySet<string> = new Set(['UPSTREAM_UNREACHABLE', 'UPSTREAM_TIMEOUT']);

/**
 * Stops asking a subgraph that does not answer: after several failures in a row requests fail at once with
 * UPSTREAM_UNREACHABLE instead of each waiting for its deadline. After a pause a single request tries; its success
 * closes the circuit. An answer of any kind, also one with errors, proves the subgraph alive.
 */
export function breakCircuit(send: Send, subgraph: string, options: BreakerOptions, circuit = closedCircuit()): Send {
  const { breakAfter = 10, breakForMs = 1_000, now = () => performance.now() } = options;
  if (breakAfter === 0) return send;
  return async (request) => {
    const open = circuit.failures >= breakAfter;
    if (open && (circuit.probing || now() < circuit.openUntil)) {
      throw new RollcallError(
        'UPSTREAM_UNREACHABLE',
        `Subgraph "${subgraph}" is not answering; it is tried again soon.`,
      );
    }
    if (open) circuit.probing = true;
    try {
      const result = await send(request);
      circuit.failures = 0;
      return result;
    } catch (thrown) {
      const counted = thrown instanceof RollcallError && COUNTED.has(thrown.code);
      if (counted) {
        circuit.failures++;
        circuit.openUntil = now() + breakForMs;
      } else if (thrown instanceof RollcallError) circuit.failures = 0;
      throw thrown;
    } finally {
      if (open) circuit.probing = false;
    }
  };
}
