import { RollcallError } from '../errors.ts';
import { createA2aExecutor } from './a2a/executor.ts';
import type { FollowTiming } from './a2a/follow.ts';
import { createApiExecutor } from './api.ts';
import { type BreakerOptions, withBreaker } from './breaker.ts';
import { TokenCache } from './credentials.ts';
import { createEchoExecutor } from './echo.ts';
import type { Egress } from './egress.ts';
import type { AgentExecutor, UpstreamAgent } from './executor.ts';

/** What the executors are built from. */
export interface ExecutorOptions {
  readonly egress: Egress;
  readonly timing?: Partial<FollowTiming>;
  readonly breaker?: BreakerOptions;
  /** Executors of rooms that are not ours, by execution type. They win over the ones in the table. */
  readonly more?: Readonly<Record<string, AgentExecutor>>;
}

/** Chooses the executor of an agent. */
export interface Executors {
  /** @throws RollcallError AGENT_NOT_REACHABLE when the agent declares nothing that it could be reached by. */
  forAgent(agent: UpstreamAgent): AgentExecutor;
}

type Kit = { readonly a2a: AgentExecutor; readonly api: AgentExecutor; readonly echo: AgentExecutor };
type Choose = (agent: UpstreamAgent, kit: Kit) => AgentExecutor | undefined;

/** Reached by the A2A interfaces that it declares, else by its url. */
const byInterfaceOrUrl: Choose = (agent, { a2a }) =>
  agent.interfaces.length > 0 || agent.url !== null ? a2a : undefined;
/** Its url is not an A2A endpoint, so only declared interfaces count. */
const byInterface: Choose = (agent, { a2a }) => (agent.interfaces.length > 0 ? a2a : undefined);

/** How each execution type is driven. */
const EXECUTORS: Readonly<Record<string, Choose>> = {
  a2a: byInterfaceOrUrl,
  docker: byInterfaceOrUrl,
  framework: byInterfaceOrUrl,
  edge: byInterfaceOrUrl,
  /** A url that is no A2A endpoint is the API itself. */
  api: (agent, { a2a, api }) => (agent.interfaces.length > 0 ? a2a : agent.url !== null ? api : undefined),
  flyte: byInterface,
  mmcloud: byInterface,
  echo: (_agent, { echo }) => echo,
};

/** The executors by execution type. */
export function createExecutors(options: ExecutorOptions): Executors {
  const tokens = new TokenCache(options.egress);
  const kit: Kit = {
    a2a: withBreaker(createA2aExecutor(options.egress, tokens, options.timing), options.breaker),
    api: withBreaker(createApiExecutor(options.egress, tokens), options.breaker),
    echo: createEchoExecutor(),
  };
  return {
    forAgent(agent) {
      const found = options.more?.[agent.executionType] ?? EXECUTORS[agent.executionType]?.(agent, kit);
      if (found !== undefined) return found;
      throw new RollcallError(
        'AGENT_NOT_REACHABLE',
        `Agent ${agent.handle} (execution type ${agent.executionType}) declares no endpoint that a message could be sent to. Give it an A2A interface or, for a2a, api, docker, framework and edge agents, a url.`,
      );
    },
  };
}
