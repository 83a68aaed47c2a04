/**
 * Another team's subgraph: what a call of each agent costs. It knows agents by their id alone; the gateway joins its
 * fields to the registry's. Start it with `npm run example:costs`, then start Rollcall with
 * `SUBGRAPHS=examples/subgraphs.json`.
 */
import { createServer } from 'node:http';
import { buildSchema, graphql } from 'graphql';

const STOPS_AFTER_MINUTES = 30;
const port = Number(process.env.COSTS_PORT ?? 4701);

/** What this team owns, in the words of Apollo Federation v2. */
const OWN_SDL = `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])

type Query {
  currency: String!
}

type Agent @key(fields: "id") {
  id: ID!
  costPerCall: Float!
}
`;

/** The same, and the two fields by which a gateway asks a subgraph: for its SDL, and for entities by their keys. */
const schema = buildSchema(`
  scalar _Any
  scalar _FieldSet
  directive @key(fields: _FieldSet!) repeatable on OBJECT
  type _Service { sdl: String! }
  union _Entity = Agent
  ${OWN_SDL.replace(/extend schema.*\n/, '').replace('type Query {', 'type Query { _service: _Service! _entities(representations: [_Any!]!): [_Entity]! ')}
`);

/** Any number will do for an example, as long as the same agent always costs the same. */
const costOf = (id) => ([...id].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_000, 7) + 1) / 100;

const rootValue = {
  currency: 'EUR',
  _service: { sdl: OWN_SDL },
  _entities: ({ representations }) =>
    representations.map(({ __typename, id }) => ({ __typename, id, costPerCall: costOf(id) })),
};

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    response.setHeader('content-type', 'application/json');
    try {
      const { query, variables } = JSON.parse(Buffer.concat(chunks).toString());
      response.end(JSON.stringify(await graphql({ schema, source: query, variableValues: variables, rootValue })));
    } catch {
      response.writeHead(400).end(JSON.stringify({ errors: [{ message: 'Send {"query": "…"} as JSON.' }] }));
    }
  });
});
server.on('error', (error) => {
  console.error(error.code === 'EADDRINUSE' ? `Port ${port} is taken: set COSTS_PORT to another one.` : String(error));
  process.exit(1);
});
await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
console.log(`The costs subgraph is at http://127.0.0.1:${server.address().port}/graphql.
It stops by itself after ${STOPS_AFTER_MINUTES} minutes, or with Ctrl-C. To join it to the graph:

  SUBGRAPHS=examples/subgraphs.json npm start
`);

const stop = () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
};
setTimeout(stop, STOPS_AFTER_MINUTES * 60_000);
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
