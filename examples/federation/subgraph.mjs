/**
 * What every subgraph needs besides its own fields: `_service` and `_entities`, an HTTP endpoint, and a WebSocket for
 * its subscriptions. Plain graphql-js and graphql-ws; a subgraph may be written in any language.
 */
import { createServer } from 'node:http';
import { buildSchema, graphql } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const STOPS_AFTER_MINUTES = 30;

/** The directives that the examples use, and the two fields by which a gateway asks: for the SDL, and for entities. */
const machinery = (entities) => `
  directive @link(url: String!, import: [String!]) repeatable on SCHEMA
  directive @key(fields: String!) repeatable on OBJECT
  directive @external on FIELD_DEFINITION
  directive @requires(fields: String!) on FIELD_DEFINITION
  directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION
  scalar _Any
  type _Service { sdl: String! }
  union _Entity = ${entities.join(' | ')}
  extend type Query { _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }
`;

/**
 * @param sdl the subgraph's schema, as the gateway shall have it
 * @param resolvers by type and field; of a subscription, what makes its stream
 * @param references by entity: the entity that a representation (its key, and what @requires names) stands for
 */
function executableSchema({ sdl, resolvers, references }) {
  const schema = buildSchema(sdl + machinery(Object.keys(references)));
  const entity = (representation) => {
    const { __typename } = representation;
    const found = references[__typename](representation);
    return found && { ...found, __typename };
  };
  const query = {
    _service: () => ({ sdl }),
    _entities: (_source, { representations }) => representations.map(entity),
  };
  for (const [type, fields] of Object.entries({ ...resolvers, Query: { ...resolvers.Query, ...query } })) {
    for (const [name, resolver] of Object.entries(fields)) {
      const field = schema.getType(type).getFields()[name];
      if (type === 'Subscription') field.subscribe = resolver;
      else field.resolve = resolver;
    }
  }
  return schema;
}

async function answer(schema, request, response) {
  response.setHeader('content-type', 'application/json');
  try {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { query, variables, operationName } = JSON.parse(Buffer.concat(chunks).toString());
    const result = await graphql({ schema, source: query, variableValues: variables, operationName });
    response.end(JSON.stringify(result));
  } catch {
    response.writeHead(400).end(JSON.stringify({ errors: [{ message: 'Send {"query": "…"} as JSON.' }] }));
  }
}

/** Serves a subgraph on the port that a variable says, until it is stopped. */
export async function serveSubgraph({ name, portVariable, defaultPort, ...definition }) {
  const schema = executableSchema(definition);
  const port = Number(process.env[portVariable] ?? defaultPort);
  const server = createServer((request, response) => void answer(schema, request, response));
  server.on('error', (error) => {
    console.error(
      error.code === 'EADDRINUSE' ? `Port ${port} is taken: set ${portVariable} to another one.` : String(error),
    );
    process.exit(1);
  });
  const sockets = new WebSocketServer({ server });
  // What cannot listen is told by the server itself.
  sockets.on('error', () => {});
  useServer({ schema }, sockets);
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  console.log(`The ${name} subgraph is at http://127.0.0.1:${server.address().port}/graphql (process ${process.pid}).`);

  const stop = () => process.exit(0);
  setTimeout(stop, STOPS_AFTER_MINUTES * 60_000);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
