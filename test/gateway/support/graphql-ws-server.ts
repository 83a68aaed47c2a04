import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { execute, type GraphQLSchema, subscribe } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

/** A subgraph that serves subscriptions over graphql-transport-ws on a loopback port. */
export async function graphqlWsServer(schema: GraphQLSchema) {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: '/graphql' });
  const upgrades: IncomingHttpHeaders[] = [];
  const params: unknown[] = [];
  sockets.on('connection', (_, request) => upgrades.push(request.headers));
  const handler = useServer(
    { schema, execute, subscribe, onConnect: ({ connectionParams }) => void params.push(connectionParams) },
    sockets,
  );
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`,
    upgrades,
    params,
    /** Ends every connection at once, as a crash would. */
    drop: () => {
      for (const client of sockets.clients) client.terminate();
    },
    close: async () => {
      await handler.dispose();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}
