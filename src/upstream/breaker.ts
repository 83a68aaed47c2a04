import { RollcallError } from '../errors.ts';
import type { AgentExecutor } from './executor.ts';
import { watchingFirst } from './first-step.ts';

/** When an agent counts as down, and for how long. */
export interface BreakerOptions {
  /** Sends that found nobody, one after the other. */
  readonly failures: number;
  /** How long nothing is sent then. Afterwards one send tries; milliseconds. */
  readonly restMs: number;
}

export const DEFAULT_BREAKER: BreakerOptions = { failures: 5, restMs: 10_000 };

interface Circuit {
  failures: number;
  /** Until then nothing is sent; 0 while the circuit is closed. */
  openUntil: number;
}

/** Circuits that are remembered; the oldest go first. */
const MAX_CIRCUITS = 10_000;

const foundNobody = (error: unknown): boolean =>
  error instanceof RollcallError && (error.code === 'UPSTREAM_UNREACHABLE' || error.code === 'UPSTREAM_TIMEOUT');

/**
 * Spares an agent that is down, and its callers the wait: after several sends in a row that reached nobody, further ones
 * fail at once, until one that is let through gets an answer. Only sends count, and only up to the first event: work in
 * progress is followed in any case.
 */
export function withBreaker(executor: AgentExecutor, options: BreakerOptions = DEFAULT_BREAKER): AgentExecutor {
  const circuits = new Map<string, Circuit>();

  const enter = (agentId: string, handle: string): void => {
    const circuit = circuits.get(agentId);
    if (circuit === undefined || circuit.openUntil === 0) return;
    const waitMs = circuit.openUntil - Date.now();
    if (waitMs > 0) {
      throw new RollcallError(
        'UPSTREAM_UNREACHABLE',
        `Agent ${handle} was not asked: ${circuit.failures} messages in a row did not reach it. The next try is in ${Math.ceil(waitMs / 1_000)} s.`,
      );
    }
    // This one tries; the others go on waiting for its outcome.
    circuit.openUntil = Date.now() + options.restMs;
  };

  const fail = (agentId: string): void => {
    const circuit = circuits.get(agentId) ?? { failures: 0, openUntil: 0 };
    if (!circuits.has(agentId) && circuits.size >= MAX_CIRCUITS)
      circuits.delete(circuits.keys().next().value as string);
    circuits.set(agentId, circuit);
    circuit.failures++;
    if (circuit.failures >= options.failures) circuit.openUntil = Date.now() + options.restMs;
  };

  return {
    ...executor,
    send(target, request, call) {
      const { id, handle } = target.agent;
      return watchingFirst({
        begin() {
          enter(id, handle);
          return executor.send(target, request, call);
        },
        came: () => void circuits.delete(id),
        failed(error) {
          if (foundNobody(error)) fail(id);
          // Whatever else went wrong, somebody was there.
          else if (!call.signal.aborted) circuits.delete(id);
          throw error;
        },
      });
    },
  };
}
