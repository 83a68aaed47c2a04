import type { App } from '../app.ts';
import { LOCAL_USER } from '../auth/principal.ts';
import type { Config } from '../config.ts';

/** What a person sees when the server is up: what is where, and three things to try that work as printed. */
export async function banner(app: App, config: Config): Promise<string> {
  const { url, grpc, flyte } = app.addresses;
  const lines = [
    '',
    `Rollcall is running.`,
    '',
    `  GraphQL    ${url}graphql        (GraphiQL in a browser; subscriptions by WebSocket, and SSE at ${url}graphql/stream)`,
    `  Subgraph   ${url}subgraph       (for other federation routers)`,
    `  A2A        ${url}a2a/{agentId}/ (cards at ${url}agents/{agentId}/.well-known/agent-card.json)`,
    `  A2A gRPC   ${grpc}`,
    ...(flyte === undefined ? [] : [`  Flyte      ${flyte}  (gRPC)`]),
    `  Health     ${url}health         (metrics at ${url}metrics)`,
    `  Data       ${app.database.describe}`,
    '',
  ];
  if (config.DATABASE_URL === undefined)
    lines.push(
      'The embedded database survives a killed process, not a power cut. For production set DATABASE_URL.',
      '',
    );
  if (config.AUTH_MODE === 'none')
    lines.push(
      'AUTH_MODE=none: whoever reaches this address may do everything. Set AUTH_MODE=jwt before others can.',
      '',
    );
  const echo = await app.core.registry.agentByHandle(LOCAL_USER, 'echo');
  if (echo !== undefined && config.AUTH_MODE === 'none') {
    const graph = (query: string): string =>
      `  curl -s ${url}graphql -H 'content-type: application/json' -d '${JSON.stringify({ query })}'`;
    lines.push(
      'Try:',
      graph('{ agents(first: 5) { nodes { handle name skills { key } } totalCount { display } } }'),
      graph(
        `mutation { sendMessage(input: { agentId: "${echo.id}", text: "hello" }) { task { id state artifacts { parts { text } } } } }`,
      ),
      `  curl -s ${url}agents/${echo.id}/.well-known/agent-card.json`,
      '',
    );
  }
  return lines.join('\n');
}
