import { invalid, RollcallError } from '../../errors.ts';
import { TaskExecution_Phase } from '../../protocol/flyte/generated/flyteidl/core/execution.ts';
import { fromLiterals, toLiterals } from '../../protocol/flyte/literals.ts';
import { AsyncAgent, type LocalAgent, SyncAgent } from './agent.ts';
import { phaseOfState } from './phases.ts';

/**
 * What a module of agents is given. It imports nothing of Rollcall, so that it may lie anywhere; its types are in
 * src/flyte/agents.
 */
export const AGENT_KIT = {
  /** Base of an agent whose tasks are jobs. */
  AsyncAgent,
  /** Base of an agent that answers at once. */
  SyncAgent,
  /** How a job stands, by name. */
  Phase: TaskExecution_Phase,
  /** The phase for a state's name, as services call it. @throws RollcallError INVALID_INPUT for an unknown one */
  phaseOfState,
  /** Flyte's literals as plain values. */
  fromLiterals,
  /** Plain values as Flyte's literals: outputs. */
  toLiterals,
  /** An error whose text the caller reads; the text of any other one goes to the log alone. */
  RollcallError,
  /** A wrong input, by field. */
  invalid,
} as const;

export type AgentKit = typeof AGENT_KIT;

/** The default export of a module that FLYTE_AGENTS names. */
export type AgentModule = (
  kit: AgentKit,
) => LocalAgent | readonly LocalAgent[] | Promise<LocalAgent | readonly LocalAgent[]>;
