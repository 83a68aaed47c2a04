import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, graphql } from 'graphql';
import { createSubgraph } from '../../src/gateway/subgraph-schema.ts';

/** Another team's subgraph, on a port of its own: what a call of each agent costs. */
export async function startCostsSubgraph(
  costOf: (agentId: string) => number,
): Promise<{ url: string; requests: () => number; close(): Promise<void> }> {
  const schema = buildSchema(`
    directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT
    type Query { currency: String! }
    type Agent @key(fields: "id") { id: ID! costPerCall: Float! }
  `);
  const subgraph = createSubgraph(schema, {
    references: { Agent: ({ id }) => ({ id, costPerCall: costOf(String(id)) }) },
  });
  let requests = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      requests++;
      const { query, variables } = JSON.parse(Buffer.concat(chunks).toString()) as {
        query: string;
        variables: Record<string, unknown>;
      };
      const result = await graphql({
        schema: subgraph.schema,
        source: query,
        variableValues: variables ?? {},
        rootValue: { currency: 'EUR' },
      });
      response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
