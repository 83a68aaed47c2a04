/**
 * The subgraph of one team: what agents and their tasks cost. It knows them by their ids alone; the gateway joins its
 * fields to the registry's. `npm run example:costs` starts it by itself, `npm run example:federation` with the other one.
 */
import { serveSubgraph } from './subgraph.mjs';

/** With COSTS_BUDGET this team's schema has one field more: a change that a running gateway takes up by itself. */
const budget = process.env.COSTS_BUDGET;

/**
 * Fields that join another team's types may be null: while this subgraph does not answer, a null stands in their place.
 * One that is never null would take the whole agent with it.
 */
const sdl = `
extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.5"
  import: ["@key", "@external", "@requires", "@requiresScopes"]
)

type Query {
  currency: String
}

type Agent @key(fields: "id") {
  id: ID!
  costPerCall: Float
  ${budget === undefined ? '' : 'monthlyBudget: Float'}
}

type Task @key(fields: "id") {
  id: ID!
  agent: Agent @external
  """What it cost. Null when its agent is gone."""
  cost: Float @requires(fields: "agent { id }")
}

type Provider @key(fields: "id") {
  id: ID!
  """What was agreed with them is not for everyone."""
  discountPercent: Int @requiresScopes(scopes: [["costs:read"]])
}
`;

/** Any number will do for an example, as long as the same id always gets the same. */
const number = (id, below) =>
  [...id].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_000, 7) % below;
const costPerCall = (agentId) => (number(agentId, 1_000) + 1) / 100;

await serveSubgraph({
  name: 'costs',
  portVariable: 'COSTS_PORT',
  defaultPort: 4701,
  sdl,
  resolvers: {
    Query: { currency: () => 'EUR' },
    Agent: {
      costPerCall: ({ id }) => costPerCall(id),
      ...(budget === undefined ? {} : { monthlyBudget: () => Number(budget) }),
    },
    Task: { cost: ({ agent }) => (agent ? costPerCall(agent.id) : null) },
    Provider: { discountPercent: ({ id }) => number(id, 30) },
  },
  references: {
    Agent: ({ id }) => ({ id }),
    Task: ({ id, agent }) => ({ id, agent }),
    Provider: ({ id }) => ({ id }),
  },
});
