import { invalid } from '../../errors.ts';
import { State } from '../../protocol/flyte/generated/flyteidl/admin/agent.ts';
import { TaskExecution_Phase as Phase } from '../../protocol/flyte/generated/flyteidl/core/execution.ts';
import type { AgentResource } from './agent.ts';

/** The words that services use for their jobs' states, as flytekit reads them. */
const PHASES: Readonly<Record<string, AgentResource['phase']>> = {
  failed: Phase.FAILED,
  timeout: Phase.FAILED,
  timedout: Phase.FAILED,
  canceled: Phase.FAILED,
  cancelled: Phase.FAILED,
  skipped: Phase.FAILED,
  internal_error: Phase.RETRYABLE_FAILED,
  done: Phase.SUCCEEDED,
  succeeded: Phase.SUCCEEDED,
  success: Phase.SUCCEEDED,
  completed: Phase.SUCCEEDED,
  running: Phase.RUNNING,
  terminating: Phase.RUNNING,
  pending: Phase.INITIALIZING,
};

/** The phase for a state's name, in any case. @throws RollcallError INVALID_INPUT for a name that is not known */
export function phaseOfState(state: string): AgentResource['phase'] {
  const name = state.toLowerCase();
  const phase = Object.hasOwn(PHASES, name) ? PHASES[name] : undefined;
  if (phase === undefined) throw invalid('state', `Unrecognized state: ${state}`);
  return phase;
}

/** What propellers read that do not know phases. */
export const STATES: Readonly<Record<AgentResource['phase'], State>> = {
  [Phase.UNRECOGNIZED]: State.RETRYABLE_FAILURE,
  [Phase.QUEUED]: State.PENDING,
  [Phase.INITIALIZING]: State.PENDING,
  [Phase.WAITING_FOR_RESOURCES]: State.PENDING,
  [Phase.RUNNING]: State.RUNNING,
  [Phase.SUCCEEDED]: State.SUCCEEDED,
  [Phase.ABORTED]: State.PERMANENT_FAILURE,
  [Phase.FAILED]: State.PERMANENT_FAILURE,
  [Phase.RETRYABLE_FAILED]: State.RETRYABLE_FAILURE,
};
