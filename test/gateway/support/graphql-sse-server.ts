import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { execute, type GraphQLSchema, subscribe } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/http';

/** A subgraph that serves subscriptions as server-sent events (graphql-sse, distinct connections) on a loopback port. */
export async function graphqlSseServer(schema: GraphQLSchema) {
  const requests: IncomingHttpHeaders[] = [];
  const handler = createHandler({ schema, execute: execute as never, subscribe: subscribe as never });
  const http = createServer((request, response) => {
    requests.push(request.headers);
    handler(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql/stream`,
    upgrades: requests,
    /** Ends every connection at once, as a crash would. */
    drop: () => http.closeAllConnections(),
    close: () =>
      new Promise<void>((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
}
