import type { SubgraphDefinition } from '../../../src/gateway/compose.ts';
import type { Subgraph } from '../../../src/gateway/subgraph-schema.ts';
import { executableSubgraph, type Resolvers } from '../../gateway/support/executable.ts';

/** A graph of many teams: each has an entity of its own, points to the next team's, and adds a field to a shared one. */
export const TEAMS = 30;
/** Types of a team that only its own fields lead to: schemas of that many teams are large. */
const DETAILS = 6;

const teamName = (n: number): string => `team-${n}`;

/** `extra` is a field more: a new version of the team's schema. */
function sdlOf(n: number, extra: string): string {
  const next = (n + 1) % TEAMS;
  const details = Array.from(
    { length: DETAILS },
    (_, i) =>
      `type Detail${n}x${i} { key: String! label: String value: Float! unit: Unit${n}! notes: [String!]! from: String to: String }`,
  );
  return `
    directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT
    directive @shareable on OBJECT | FIELD_DEFINITION
    type Query {
      item${n}(id: ID!): Item${n}
      items${n}(first: Int!, kind: Kind${n}): [Item${n}!]!
    }
    type Item${n} @key(fields: "id") {
      id: ID!
      name: String!
      kind: Kind${n}!
      size: Int!
      ${extra}
      next: Item${next}!
      shared: Shared!
      ${details.map((_, i) => `detail${i}: Detail${n}x${i}!`).join('\n      ')}
    }
    type Item${next} @key(fields: "id", resolvable: false) { id: ID! }
    type Shared @key(fields: "id") { id: ID! field${n}: String! count${n}: Int! }
    enum Kind${n} { SMALL LARGE OTHER }
    enum Unit${n} { EUR HOUR PIECE }
    ${details.join('\n    ')}
  `;
}

const detailOf = (id: string, i: number) => ({
  key: `${id}.${i}`,
  label: null,
  value: i,
  unit: 'PIECE',
  notes: [],
  from: null,
  to: null,
});

function itemOf(id: string) {
  const details = Array.from({ length: DETAILS }, (_, i) => [`detail${i}`, detailOf(id, i)] as const);
  return {
    id,
    name: `Item ${id}`,
    kind: 'LARGE',
    size: 3,
    next: { id },
    shared: { id },
    ...Object.fromEntries(details),
  };
}

function subgraphOf(n: number): Subgraph {
  const resolvers: Resolvers = {
    Query: {
      [`item${n}`]: ((_: unknown, { id }: { id: string }) => itemOf(id)) as never,
      [`items${n}`]: ((_: unknown, { first }: { first: number }) =>
        Array.from({ length: first }, (_, i) => itemOf(String(i)))) as never,
    },
  };
  return executableSubgraph(sdlOf(n, ''), resolvers, {
    [`Item${n}`]: ({ id }) => itemOf(id as string),
    Shared: ({ id }) => ({ id, [`field${n}`]: `${n} of ${id}`, [`count${n}`]: n }),
  });
}

/** The running subgraphs of all teams. */
export const teamSubgraphs = (): { readonly name: string; readonly subgraph: Subgraph }[] =>
  Array.from({ length: TEAMS }, (_, n) => ({ name: teamName(n), subgraph: subgraphOf(n) }));

/** What is composed: their schemas at `base`; another `version` adds a field that nobody asks for. */
export const teamDefinitions = (base: string, version: number): SubgraphDefinition[] =>
  Array.from({ length: TEAMS }, (_, n) => ({
    name: teamName(n),
    url: new URL(teamName(n), base).href,
    sdl: executableSubgraph(sdlOf(n, n === 0 ? `extra${version}: String` : ''), {}, {}).sdl,
  }));

/** A typical operation: three teams' entities one after another, and three more teams' fields of a shared one. */
export function operationOf(n: number): string {
  const [a, b, c] = [n, n + 1, n + 2].map((i) => i % TEAMS);
  const [x, y, z] = [n + 7, n + 13, n + 21].map((i) => i % TEAMS);
  return `query Items${n}($id: ID!) {
  item${a}(id: $id) {
    id name kind detail0 { key value unit }
    next {
      name size detail1 { key label notes }
      next { name kind shared { id field${x} count${y} field${z} } }
    }
    shared { field${c} count${b} }
  }
}`;
}
