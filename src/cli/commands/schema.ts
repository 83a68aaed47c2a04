import { type Command, Option } from 'commander';
import { type Io, say } from '../io.ts';
import { withJson } from './common.ts';

/** `rollcall schema print`: the schema without a server. */
export function addSchemaCommand(program: Command, io: Io): void {
  const print = program
    .command('schema')
    .description("Work with the registry's GraphQL schema.")
    .command('print')
    .description("Print the registry's schema in SDL: the subgraph, or the supergraph of it alone.")
    .addOption(new Option('--subgraph', 'the Federation v2 subgraph (the default)').conflicts('supergraph'))
    .option('--supergraph', 'the composed supergraph')
    .action(async (options: { readonly supergraph?: boolean; readonly json?: boolean }) => {
      const { printSchemaFiles } = await import('../../graphql/schema-files.ts');
      const name = options.supergraph === true ? 'supergraph' : 'registry';
      // Without the remark for readers of the repository's files.
      const sdl = printSchemaFiles()[`${name}.graphql`].replace(/^(#.*\n|\n)*/, '');
      await say(io, options.json, { sdl }, sdl.trimEnd());
    });
  withJson(print);
}
