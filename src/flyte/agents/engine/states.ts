import type { TaskState } from '../../../protocol/a2a/model.ts';
import { TaskExecution_Phase as Phase } from '../../../protocol/flyte/generated/flyteidl/core/execution.ts';
import type { AgentResource } from '../agent.ts';

/** What a task that waits for somebody waits for; Flyte has no such phase, and the task may go on. */
export const WAITS: Readonly<Partial<Record<TaskState, string>>> = {
  'input-required': 'waits for input',
  'auth-required': 'waits for authorisation',
};

/** What the states of tasks are to Flyte. */
export const PHASE_OF_STATE: Readonly<Record<TaskState, AgentResource['phase']>> = {
  unknown: Phase.RUNNING,
  submitted: Phase.QUEUED,
  working: Phase.RUNNING,
  'input-required': Phase.RUNNING,
  'auth-required': Phase.RUNNING,
  completed: Phase.SUCCEEDED,
  canceled: Phase.ABORTED,
  failed: Phase.FAILED,
  rejected: Phase.FAILED,
};
