import { startGateway } from '../app/gateway.ts';
import type { Config } from '../config.ts';
import { createLog } from '../log.ts';
import { stopOnSignals } from './stop-signals.ts';

/** Runs the gateway until SIGINT or SIGTERM. @throws RollcallError for a configuration that cannot work. */
export async function runGateway(config: Config): Promise<void> {
  const log = createLog(config.LOG_LEVEL);
  // graphql-js can leave the second of two failures in one non-null list to nobody, which would end the process.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a failure that nobody waited for'));
  const app = await startGateway(config, log);
  stopOnSignals(log, () => app.close());
  // Not awaited: the server answers what keeps the graph away at /health meanwhile.
  void app.loaded;
  process.stdout.write(
    [
      '',
      'Rollcall is running as a gateway.',
      '',
      `  GraphQL    ${app.url}graphql        (GraphiQL in a browser; subscriptions by WebSocket, and SSE at ${app.url}graphql/stream)`,
      `  Graph      ${config.SUPERGRAPH ?? config.SUBGRAPHS}`,
      `  Health     ${app.url}health         (metrics at ${app.url}metrics)`,
      '',
      '',
    ].join('\n'),
  );
}
