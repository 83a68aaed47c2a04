import type { Subgraph } from '../../../src/gateway/subgraph-schema.ts';
import { executableSubgraph } from '../../gateway/support/executable.ts';
import { AGENTS_SDL, agentById, COSTS_SDL, costsOf, page } from './world.ts';

const query = { agents: (_: unknown, { first, from }: { first: number; from: number }) => page(first, from) };

/** The agents, as Rollcall runs them in its own process, or as another process serves them. */
export const agentsSubgraph = (): Subgraph =>
  executableSubgraph(AGENTS_SDL, { Query: query as never }, { Agent: ({ id }) => agentById(id as string) });

/** What they cost: always another process. */
export const costsSubgraph = (): Subgraph =>
  executableSubgraph(
    COSTS_SDL,
    { Query: { currencies: () => ['EUR', 'USD', 'CHF'] } as never },
    { Agent: ({ id }) => ({ id, costs: costsOf(id as string) }) },
  );
