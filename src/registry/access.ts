import type { Principal, Scope } from '../auth/principal.ts';
import { RollcallError } from '../errors.ts';
import type { Agent } from './model.ts';
import { missingScope, notOwner } from './visibility.ts';

/** What a caller may want to do with an agent. */
export const AGENT_OPERATIONS = ['read', 'update', 'delete', 'seeEndpoints', 'send', 'readTasks'] as const;
export type AgentOperation = (typeof AGENT_OPERATIONS)[number];

interface Rule {
  readonly scope: Scope;
  /** For its owner and `admin` alone. */
  readonly owner?: true;
  /** Whether the agent, as it is, allows it to anyone. */
  readonly state?: (agent: Agent) => RollcallError | undefined;
}

/** What sends are refused for, whoever sends. */
export const takesNoWork = (agent: Pick<Agent, 'status' | 'handle'>): RollcallError | undefined =>
  agent.status === 'inactive'
    ? new RollcallError(
        'AGENT_INACTIVE',
        `Agent ${agent.handle} is inactive and takes no new work; its owner can set it active.`,
      )
    : undefined;

/** The rule of each operation, as the core applies it. */
export const AGENT_RULES: { readonly [O in AgentOperation]: Rule } = {
  read: { scope: 'registry:read' },
  update: { scope: 'registry:write', owner: true },
  delete: { scope: 'registry:write', owner: true },
  seeEndpoints: { scope: 'registry:read', owner: true },
  send: { scope: 'tasks:send', state: takesNoWork },
  readTasks: { scope: 'tasks:read' },
};

/**
 * Why the caller may not do this with an agent that they have been shown; undefined when they may.
 */
export function refusalOf(principal: Principal, agent: Agent, operation: AgentOperation): RollcallError | undefined {
  const { scope, owner, state } = AGENT_RULES[operation];
  const lacks = missingScope(principal, scope);
  if (lacks !== undefined) return lacks;
  return (owner === true ? notOwner(principal, agent, `agent ${agent.handle}`) : undefined) ?? state?.(agent);
}
