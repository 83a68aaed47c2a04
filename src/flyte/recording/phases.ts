import type { TaskState } from '../../protocol/a2a/model.ts';
import { TaskExecution_Phase as Phase } from '../../protocol/flyte/generated/flyteidl/core/execution.ts';

/** A phase as people read it, and what a task in it is. */
export interface PhaseMeaning {
  readonly name: string;
  readonly state: TaskState;
}

/** What Flyte's phases are to a task. */
const MEANINGS: Readonly<Record<number, PhaseMeaning>> = {
  [Phase.QUEUED]: { name: 'QUEUED', state: 'submitted' },
  [Phase.WAITING_FOR_RESOURCES]: { name: 'WAITING_FOR_RESOURCES', state: 'submitted' },
  [Phase.INITIALIZING]: { name: 'INITIALIZING', state: 'working' },
  [Phase.RUNNING]: { name: 'RUNNING', state: 'working' },
  [Phase.SUCCEEDED]: { name: 'SUCCEEDED', state: 'completed' },
  [Phase.ABORTED]: { name: 'ABORTED', state: 'canceled' },
  [Phase.FAILED]: { name: 'FAILED', state: 'failed' },
  // Flyte may try again: that is another attempt, and another task.
  [Phase.RETRYABLE_FAILED]: { name: 'RETRYABLE_FAILED', state: 'failed' },
};

/** By the deprecated state, which propeller reads where an agent gives no phase. */
const PHASE_OF_STATE: Readonly<Record<number, Phase>> = {
  0: Phase.RETRYABLE_FAILED,
  1: Phase.FAILED,
  2: Phase.QUEUED,
  3: Phase.RUNNING,
  4: Phase.SUCCEEDED,
};

/** As propeller reads it: the phase, else the deprecated state; undefined for numbers that nobody knows. */
export const meaningOf = (phase: number, state: number): PhaseMeaning | undefined =>
  MEANINGS[phase === 0 ? (PHASE_OF_STATE[state] ?? 0) : phase];
