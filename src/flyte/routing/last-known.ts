import { GetTaskResponse, State } from '../../protocol/flyte/generated/flyteidl/admin/agent.ts';
import { TaskExecution_Phase } from '../../protocol/flyte/generated/flyteidl/core/execution.ts';
import { hasResource, phaseOf, withMessage } from '../../protocol/flyte/routing-views.ts';

/** Phases that a job never leaves. */
export const TERMINAL_PHASES: ReadonlySet<number> = new Set([
  TaskExecution_Phase.SUCCEEDED,
  TaskExecution_Phase.ABORTED,
  TaskExecution_Phase.FAILED,
  TaskExecution_Phase.RETRYABLE_FAILED,
]);

const CREATED: Buffer = Buffer.from(
  GetTaskResponse.encode(
    GetTaskResponse.fromPartial({
      resource: { phase: TaskExecution_Phase.QUEUED, state: State.PENDING, message: 'Created.' },
    }),
  ).finish(),
);

export interface LastKnownLimits {
  readonly maxEntries: number;
  /** All answers together. */
  readonly maxBytes: number;
  /** Milliseconds after its last good answer for which a job's phase is repeated. */
  readonly staleMs: number;
}

export const LAST_KNOWN_LIMITS: LastKnownLimits = { maxEntries: 20_000, maxBytes: 64 << 20, staleMs: 600_000 };

/**
 * The last good GetTask answer of each job, in memory. Propeller stops polling a task for good after five errors, so a
 * deployment that restarts must not show as errors.
 */
export class LastKnown {
  readonly #limits: LastKnownLimits;
  readonly #now: () => number;
  readonly #answers = new Map<string, { readonly response: Buffer; readonly at: number }>();
  #bytes = 0;

  constructor(limits: LastKnownLimits = LAST_KNOWN_LIMITS, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#answers.size;
  }

  /**
   * @param key of the job, as jobKey makes it
   * @throws RollcallError UPSTREAM_INVALID for bytes that are no answer
   */
  remember(key: string, response: Buffer): void {
    // What says nothing of the job takes the place of no good answer.
    if (!hasResource(response)) return;
    this.#remove(key);
    this.#answers.set(key, { response, at: this.#now() });
    this.#bytes += response.length;
    // A Map iterates in the order of insertion: the job that was asked for least recently goes first.
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#limits.maxEntries && this.#bytes <= this.#limits.maxBytes) break;
      this.#remove(oldest);
    }
  }

  /** A job that was just created: QUEUED until it is asked for. */
  created(key: string): void {
    this.remember(key, CREATED);
  }

  forget(key: string): void {
    this.#remove(key);
  }

  /** The last good answer: a final one as it was, any other with `reason` for its message; undefined when there is none, or only an old one. */
  recall(key: string, reason: string): Buffer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    if (TERMINAL_PHASES.has(phaseOf(answer.response))) return answer.response;
    if (this.#now() - answer.at > this.#limits.staleMs) return undefined;
    return withMessage(answer.response, reason);
  }

  #remove(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#answers.delete(key);
    this.#bytes -= answer.response.length;
  }
}
