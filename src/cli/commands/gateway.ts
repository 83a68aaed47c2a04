import type { Command } from 'commander';
import { flagOf } from '../../config.ts';
import { RollcallError } from '../../errors.ts';
import { UsageError } from '../exit.ts';
import type { Io } from '../io.ts';
import { type GivenFlags, readSettings, settingsHelp } from '../settings.ts';

/** The settings that mean something without registry and database. */
const SETTINGS = [
  'SUPERGRAPH',
  'SUBGRAPHS',
  'GRAPH_POLL_SECONDS',
  'HOST',
  'PORT',
  'PUBLIC_URL',
  'TLS_CERT',
  'TLS_KEY',
  'TRUST_PROXY',
  'CORS_ORIGINS',
  'AUTH_MODE',
  'ALLOW_INSECURE',
  'AUTH_JWKS_URL',
  'AUTH_SECRET',
  'METRICS_TOKEN',
  'AUTH_ISSUER',
  'AUTH_AUDIENCE',
  'GRAPHQL_HOT_PATH',
  'INTROSPECTION',
  'MAX_BODY_BYTES',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'GRAPH_DEADLINE_SECONDS',
  'GRAPH_MAX_OPERATIONS',
  'LOG_LEVEL',
];

/** `rollcall gateway`: the graph of remote subgraphs, without registry and database. */
export function addGatewayCommand(program: Command, io: Io): void {
  const command = program
    .command('gateway')
    .description('Start a GraphQL gateway of remote subgraphs only, without registry and database.')
    .action(async (given: GivenFlags) => {
      // Others may be set for a registry beside it: what they lack must not stop the gateway.
      const env = Object.fromEntries(SETTINGS.map((name) => [name, io.env[name]]));
      const config = readSettings({ env }, given);
      if (config.SUPERGRAPH === undefined && config.SUBGRAPHS === undefined) {
        throw new UsageError(`Say where the graph comes from: --${flagOf('SUPERGRAPH')} or --${flagOf('SUBGRAPHS')}.`);
      }
      const { runGateway } = await import('../start-gateway.ts');
      try {
        await runGateway(config);
      } catch (error) {
        if (error instanceof RollcallError && error.code === 'INVALID_INPUT')
          throw new UsageError(error.message, { cause: error });
        throw error;
      }
    });
  for (const { flags, description } of settingsHelp(SETTINGS)) command.option(flags, description);
  command.addHelpText(
    'after',
    `
/health answers 200 once the graph is loaded. The graph is read again every GRAPH_POLL_SECONDS, and when a file changes.`,
  );
}
