import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, type ExecutionResult, type GraphQLSchema, graphql } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { createSubgraph, type SubgraphOptions } from '../../src/gateway/subgraph-schema.ts';

/** What a team's subgraph is at one moment. */
export interface TeamSchema {
  /** Without federation's own fields; the directives it uses are declared in it. */
  readonly sdl: string;
  readonly references?: SubgraphOptions<unknown>['references'];
  readonly root?: Readonly<Record<string, unknown>>;
}

/** Another team's subgraph over HTTP and graphql-ws, whose schema can change while it runs. */
export interface TeamSubgraph {
  readonly url: string;
  readonly sockets: () => number;
  /** Requests for data: not those for its schema. */
  readonly requests: () => number;
  /** Headers of the latest of them. */
  readonly lastHeaders: () => IncomingHttpHeaders;
  become(schema: TeamSchema): void;
  /** Answers nothing any more, until {@link TeamSubgraph.resume}. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

const DIRECTIVES = `
  directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT
`;

export async function startTeamSubgraph(first: TeamSchema): Promise<TeamSubgraph> {
  let schema: GraphQLSchema;
  let root: Readonly<Record<string, unknown>> = {};
  let requests = 0;
  let lastHeaders: IncomingHttpHeaders = {};
  const become = (next: TeamSchema): void => {
    schema = createSubgraph(buildSchema(DIRECTIVES + next.sdl), { references: next.references ?? {} }).schema;
    root = next.root ?? {};
  };
  become(first);
  const answer = (
    body: { query: string; variables?: Record<string, unknown> },
    headers: IncomingHttpHeaders,
  ): Promise<ExecutionResult> => {
    if (!body.query.includes('_service')) {
      requests++;
      lastHeaders = headers;
    }
    return graphql({ schema, source: body.query, variableValues: body.variables ?? {}, rootValue: root });
  };
  let server: Server;
  let sockets: WebSocketServer;
  const open = async (port: number): Promise<void> => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', async () => {
        const result = await answer(JSON.parse(Buffer.concat(chunks).toString()), request.headers);
        response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
      });
    });
    sockets = new WebSocketServer({ server });
    useServer({ schema: () => schema, roots: { subscription: root }, onSubscribe: undefined } as never, sockets);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  };
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close(() => resolve());
    });
  await open(0);
  const { port } = server!.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    sockets: () => sockets.clients.size,
    requests: () => requests,
    lastHeaders: () => lastHeaders,
    become,
    pause: shut,
    resume: () => open(port),
    close: () => (server.listening ? shut() : Promise.resolve()),
  };
}
