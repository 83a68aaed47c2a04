import { type DocumentNode, getOperationAST, parse } from 'graphql';
import type { ExecRequest } from '../../../src/gateway/engine.ts';
import { localExecutor } from '../../../src/gateway/local.ts';
import type { Subgraph } from '../../../src/gateway/subgraph-schema.ts';
import { listen } from '../listen.ts';
import { agentsSubgraph, costsSubgraph } from './schemas.ts';
import { teamSubgraphs } from './teams.ts';
import { AGENTS, COSTS } from './world.ts';

/**
 * All remote subgraphs of the benchmark: one process, the same for every gateway. What was asked before is answered
 * from memory, so that they take as little of the processor as a server can.
 */
const MOST_ANSWERS = 20_000;

type Answer = (body: string) => Promise<string>;

function answering({ schema }: Subgraph): Answer {
  const executor = localExecutor(schema);
  const documents = new Map<string, DocumentNode>();
  const answers = new Map<string, string>();
  return async (body) => {
    const known = answers.get(body);
    if (known !== undefined) return known;
    const { query, variables, operationName } = JSON.parse(body) as Record<string, any>;
    const document = documents.get(query) ?? parse(query);
    documents.set(query, document);
    const result = await executor.execute({
      document,
      variables: variables ?? {},
      operationName: operationName ?? undefined,
      operationType: getOperationAST(document, operationName)!.operation,
      context: { headers: {}, principalKey: 'bench' },
    } satisfies ExecRequest);
    const text = JSON.stringify(result);
    if (answers.size < MOST_ANSWERS) answers.set(body, text);
    return text;
  };
}

const routes = new Map<string, Answer>([
  [`/${AGENTS}`, answering(agentsSubgraph())],
  [`/${COSTS}`, answering(costsSubgraph())],
  ...teamSubgraphs().map(({ name, subgraph }) => [`/${name}`, answering(subgraph)] as const),
]);

listen((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const answer = routes.get(request.url!);
    if (answer === undefined) {
      response.writeHead(404).end();
      return;
    }
    answer(Buffer.concat(chunks).toString()).then(
      (text) =>
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
          .end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
});
