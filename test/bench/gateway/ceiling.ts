import { listen } from '../listen.ts';
import { OPERATIONS, type OperationName } from './world.ts';

/**
 * The most that a server on Node can do: it reads the request, finds the finished answer by the operation's name and
 * variable, and sends it. No GraphQL, no subgraph, nothing checked.
 */
const answers = new Map<string, Buffer>();

function answerTo(name: OperationName, from: number): Buffer {
  const key = `${name} ${from}`;
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = Buffer.from(`${JSON.stringify({ data: OPERATIONS[name].data(from) })}\n`);
    answers.set(key, answer);
  }
  return answer;
}

listen((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { operationName, variables } = JSON.parse(Buffer.concat(chunks).toString());
    const answer = answerTo(operationName, variables.from);
    response
      .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': answer.length })
      .end(answer);
  });
});
