import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, execute, graphql, subscribe } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

export const MIRROR_SDL = /* GraphQL */ `
  type Query { whoAsks(last: Boolean): String! }
  type Subscription { whoWatches(last: Boolean): String! }
`;

/** Another team's subgraph that answers with the subject of the token that came to it. */
export interface Mirror {
  readonly url: string;
  /** Resolves when somebody waits for an answer. */
  readonly asked: Promise<void>;
  close(): Promise<void>;
}

const subjectOf = ({ authorization = '' }: IncomingHttpHeaders): string =>
  JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString()).sub;

/** Nobody is answered before somebody asks with `last`: whatever can be shared between callers is shared until then. */
export async function startMirror(): Promise<Mirror> {
  const schema = buildSchema(MIRROR_SDL);
  const asked = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  const answer = async (last: boolean, headers: IncomingHttpHeaders): Promise<string> => {
    asked.resolve();
    if (last) open.resolve();
    await open.promise;
    return subjectOf(headers);
  };
  schema.getSubscriptionType()!.getFields()['whoWatches']!.subscribe = async function* (
    _root,
    { last },
    { extra }: { extra: { request: IncomingMessage } },
  ) {
    yield { whoWatches: await answer(last === true, extra.request.headers) };
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { query, variables } = JSON.parse(Buffer.concat(chunks).toString());
      const rootValue = { whoAsks: ({ last }: { last?: boolean }) => answer(last === true, request.headers) };
      const result = await graphql({ schema, source: query, variableValues: variables, rootValue });
      response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
    });
  });
  const sockets = new WebSocketServer({ server });
  useServer({ schema, execute, subscribe, context: (socket) => socket }, sockets);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    asked: asked.promise,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
