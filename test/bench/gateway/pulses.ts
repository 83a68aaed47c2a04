import { EventQueue } from '../../../src/gateway/remote/event-queue.ts';
import { createSubgraph, type Subgraph } from '../../../src/gateway/subgraph-schema.ts';
import { executable } from '../../gateway/support/executable.ts';
import { AGENTS_SDL, agentById, agents, page } from './world.ts';

/** The agents with a stream of events for each, as the registry has for tasks. */
export const PULSES_SDL = `${AGENTS_SDL}
  type Mutation {
    pulse(agent: ID): Int!
  }
  type Subscription {
    pulses(agent: ID!): Pulse!
  }
  "An event of one agent, and when it happened: milliseconds of the machine's own clock."
  type Pulse { at: Float! agent: Agent! }
`;

/** Events that wait for a slow reader. */
const CAPACITY = 1_000;

/** The same clock for all processes of a machine. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/**
 * Events happen when `pulse` is asked for: for one agent, or for all of them. A subscription has its first at once, so
 * that whoever opened it knows that it is on.
 */
export function pulsesSubgraph(): Subgraph {
  const streams = new Map<string, Set<EventQueue>>(agents.map(({ id }) => [id, new Set()]));
  const eventOf = (id: string) => ({ at: machineMs(), agent: agentById(id) }) as never;
  const publish = (id: string): void => {
    for (const stream of streams.get(id) ?? []) stream.push(eventOf(id));
  };
  const schema = executable(PULSES_SDL, {
    Query: { agents: ((_: unknown, { first, from }: { first: number; from: number }) => page(first, from)) as never },
    Mutation: {
      pulse: ((_: unknown, { agent }: { agent?: string | null }) => {
        const ids = agent == null ? [...streams.keys()] : [agent];
        ids.forEach(publish);
        return ids.length;
      }) as never,
    },
    Subscription: { pulses: ((event: unknown) => event) as never },
  });
  schema.getSubscriptionType()!.getFields()['pulses']!.subscribe = (_, { agent }) => {
    const stream: EventQueue = new EventQueue(CAPACITY, () => void streams.get(agent)?.delete(stream));
    streams.get(agent)?.add(stream);
    stream.push(eventOf(agent));
    return stream;
  };
  return createSubgraph(schema, { references: { Agent: ({ id }) => agentById(id as string) } });
}
