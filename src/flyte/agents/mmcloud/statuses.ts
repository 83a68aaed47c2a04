import { TaskExecution_Phase as Phase } from '../../../protocol/flyte/generated/flyteidl/core/execution.ts';
import type { AgentResource } from '../agent.ts';

/** What the OpCenter's statuses are to Flyte. "Unknown" is not among them: it says nothing, so the job counts as running. */
const PHASES: Readonly<Record<string, AgentResource['phase']>> = {
  Submitted: Phase.QUEUED,
  Initializing: Phase.INITIALIZING,
  Starting: Phase.INITIALIZING,
  Executing: Phase.RUNNING,
  Capturing: Phase.RUNNING,
  Floating: Phase.RUNNING,
  Suspended: Phase.RUNNING,
  Suspending: Phase.RUNNING,
  Resuming: Phase.RUNNING,
  Completed: Phase.SUCCEEDED,
  Cancelled: Phase.ABORTED,
  Cancelling: Phase.ABORTED,
  FailToComplete: Phase.FAILED,
  FailToExecute: Phase.FAILED,
  CheckpointFailed: Phase.FAILED,
  Timedout: Phase.FAILED,
  NoAvailableHost: Phase.RETRYABLE_FAILED,
  WaitingForLicense: Phase.WAITING_FOR_RESOURCES,
};

/** The phase of a job; undefined for a status that says nothing. */
export const phaseOfStatus = (status: string): AgentResource['phase'] | undefined =>
  Object.hasOwn(PHASES, status) ? PHASES[status] : undefined;
