import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type GraphQLSchema, graphql } from 'graphql';

export interface ReceivedRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: { query: string; variables?: Record<string, unknown>; operationName?: string };
}

export interface AnsweringServer {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  /** Connections made so far. */
  readonly connections: Set<Socket>;
  close(): Promise<void>;
}

/** A loopback HTTP server that takes GraphQL requests and answers as the test says. */
export async function answeringServer(
  answer: (request: ReceivedRequest, response: ServerResponse) => unknown,
): Promise<AnsweringServer> {
  const requests: ReceivedRequest[] = [];
  const connections = new Set<Socket>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = { headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) };
      requests.push(received);
      void answer(received, response);
    });
  });
  server.on('connection', (socket) => connections.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    requests,
    connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

/** Answers with what the schema says. */
export const executing =
  (schema: GraphQLSchema, contextValue: () => unknown = () => ({})) =>
  async ({ body }: ReceivedRequest, response: ServerResponse): Promise<void> => {
    const { query: source, variables: variableValues, operationName } = body;
    json(response, await graphql({ schema, source, variableValues, operationName, contextValue: contextValue() }));
  };
