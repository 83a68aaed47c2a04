import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addAgentsCommand } from './commands/agents.ts';
import { addComposeCommand } from './commands/compose.ts';
import { addDeploymentsCommand } from './commands/deployments.ts';
import { addExportCommand } from './commands/export.ts';
import { addGatewayCommand } from './commands/gateway.ts';
import { addLoadCommand } from './commands/load.ts';
import { addMigrateCommand } from './commands/migrate.ts';
import { addSchemaCommand } from './commands/schema.ts';
import { addStartCommand } from './commands/start.ts';
import { addTokenCommand } from './commands/token.ts';
import type { Io } from './io.ts';

/** Every command, in the order of --help. */
const COMMANDS: readonly ((program: Command, io: Io) => void)[] = [
  addStartCommand,
  addMigrateCommand,
  addAgentsCommand,
  addDeploymentsCommand,
  addExportCommand,
  addLoadCommand,
  addSchemaCommand,
  addComposeCommand,
  addGatewayCommand,
  addTokenCommand,
];

const AFTER = `
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.`;

/** The version in package.json, which lies at one depth above the sources and at another above the built files. */
function version(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {}
  }
  return 'unknown';
}

/** The command line, writing to these streams. Errors are thrown, never ended on. */
export function buildProgram(io: Io): Command {
  const program = new Command('rollcall')
    .description("One graph of an organisation's agents: a registry and federation gateway.")
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, writeErr) => writeErr(text.replace(/^error: /, 'rollcall: ')),
    })
    .showSuggestionAfterError()
    .addHelpText('afterAll', AFTER);
  for (const add of COMMANDS) add(program, io);
  return program;
}
