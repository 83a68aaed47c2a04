/**
 * What the two subgraphs of the comparison hold: agents in one, what they cost in the other. Plain data and texts, and
 * nothing imported: gateways that bring a copy of graphql of their own read this file too.
 */
export const AGENTS = 'agents';
export const COSTS = 'costs';

export const AGENTS_SDL = `
  directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT
  type Query {
    agents(first: Int!, from: Int!): [Agent!]!
  }
  type Agent @key(fields: "id") {
    id: ID!
    name: String!
    description: String
    version: String!
    status: Status!
    tags: [String!]!
    provider: Provider
    skills: [Skill!]!
  }
  enum Status { ACTIVE INACTIVE DEPRECATED }
  type Provider { id: ID! name: String! }
  type Skill { key: String! name: String! }
`;

export const COSTS_SDL = `
  directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT
  type Query {
    currencies: [String!]!
  }
  type Agent @key(fields: "id") {
    id: ID!
    costs: Costs
  }
  type Costs { perCall: Float! currency: String! }
`;

const SIZE = 1_000;
const STATUSES = ['ACTIVE', 'ACTIVE', 'ACTIVE', 'INACTIVE', 'DEPRECATED'];
const CURRENCIES = ['EUR', 'USD', 'CHF'];

const idOf = (n: number): string => `0192d7a0-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** All agents, with what the registry knows of them. */
export const agents = Array.from({ length: SIZE }, (_, n) => ({
  id: idOf(n),
  name: `Agent number ${n}`,
  description: n % 7 === 0 ? null : `Reads documents of kind ${n % 31} and answers questions about them`,
  version: `1.${n % 10}.0`,
  status: STATUSES[n % STATUSES.length]!,
  tags: [`topic-${n % 13}`, `team-${n % 5}`],
  provider: n % 4 === 0 ? null : { id: idOf(n % 17), name: `Provider ${n % 17}` },
  skills: [`summarise-${n % 9}`, `search-${n % 11}`, `plan-${n % 3}`].map((key) => ({ key, name: `Skill ${key}` })),
}));

const numbers = new Map(agents.map(({ id }, n) => [id, n]));

export const agentById = (id: string) => agents[numbers.get(id) ?? -1];

export const page = (first: number, from: number) => agents.slice(from, from + first);

/** What an agent costs; null for one that does not exist. */
export function costsOf(id: string): { perCall: number; currency: string } | null {
  const n = numbers.get(id);
  return n === undefined ? null : { perCall: (n % 97) / 100, currency: CURRENCIES[n % CURRENCIES.length]! };
}

interface Operation {
  /** As the tables call it. */
  readonly what: string;
  readonly query: string;
  /** The right answer, made by hand. */
  data(from: number): unknown;
}

/** What is asked, by operation name. */
export const OPERATIONS: Readonly<Record<'Join' | 'List', Operation>> = {
  Join: {
    what: 'join of 50 entities',
    query: 'query Join($from: Int!) { agents(first: 50, from: $from) { id name status costs { perCall currency } } }',
    data: (from) => ({
      agents: page(50, from).map(({ id, name, status }) => ({ id, name, status, costs: costsOf(id) })),
    }),
  },
  List: {
    what: 'list of 20',
    query: `query List($from: Int!) {
  agents(first: 20, from: $from) { id name description version status tags provider { id name } skills { key name } }
}`,
    data: (from) => ({ agents: page(20, from) }),
  },
};

export type OperationName = keyof typeof OPERATIONS;

/**
 * Requests that differ: no two that are under way at the same time are equal, so that nobody's de-duplication of equal
 * requests is measured.
 */
export const bodiesOf = (operationName: OperationName): string[] =>
  Array.from({ length: 64 }, (_, n) =>
    JSON.stringify({ operationName, query: OPERATIONS[operationName].query, variables: { from: n * 14 } }),
  );
