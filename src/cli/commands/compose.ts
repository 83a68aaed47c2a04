import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { AlreadyTold, UsageError } from '../exit.ts';
import { type Io, say, write } from '../io.ts';
import { plural, withJson } from './common.ts';

interface ComposeOptions {
  readonly subgraphs: string;
  readonly registry: boolean;
  readonly output?: string;
  readonly diff?: string;
  readonly json?: boolean;
}

/** `rollcall compose`: composes and checks, without a server. */
export function addComposeCommand(program: Command, io: Io): void {
  const command = program
    .command('compose')
    .description('Compose subgraphs into a supergraph and say what is wrong with them, without a server.')
    .requiredOption('--subgraphs <file|url>', 'the list of subgraphs, in the form of SUBGRAPHS')
    .option('--no-registry', "leave the registry's own subgraph out, as rollcall gateway does")
    .option('--output <file>', 'where to write the supergraph; standard output when left out')
    .option('--diff <file|url>', 'a supergraph to compare with: prints what would change for clients instead')
    .action((options: ComposeOptions) => compose(io, options));
  withJson(command).addHelpText(
    'after',
    `
Where an entry has no "sdl" or "sdlFile", its subgraph is asked. With --diff, a change that breaks clients ends with
exit code 1.`,
  );
}

async function compose(io: Io, options: ComposeOptions): Promise<void> {
  const { checkComposition, diffSupergraphs } = await import('../composing.ts');
  const composition = await checkComposition(options.subgraphs, options.registry);
  if (composition.errors !== undefined) {
    const lines = composition.errors.map(({ code, message }) => `  ${code}: ${message}`);
    await say(
      io,
      options.json,
      { errors: composition.errors },
      `The subgraphs do not compose (${plural(composition.errors.length, 'error')}):\n${lines.join('\n')}`,
    );
    throw new AlreadyTold();
  }
  const { supergraphSdl, subgraphs } = composition;
  if (options.output !== undefined) {
    await writeFile(options.output, supergraphSdl).catch((cause: Error) => {
      throw new UsageError(`--output: ${options.output} cannot be written: ${cause.message}`, { cause });
    });
    await write(io.stderr, `${plural(subgraphs.length, 'subgraph')} composed: ${subgraphs.join(', ')}.\n`);
  }
  if (options.diff !== undefined) {
    const changes = await diffSupergraphs(options.diff, supergraphSdl);
    const breaking = changes.filter(({ level }) => level === 'breaking').length;
    const lines = changes.map(({ level, message }) => `  ${level.padEnd(12)} ${message}`);
    const head =
      changes.length === 0
        ? 'Nothing changes for clients.'
        : `${plural(changes.length, 'change')}, ${breaking} breaking:`;
    await say(io, options.json, { changes }, [head, ...lines].join('\n'));
    if (breaking > 0) throw new AlreadyTold();
    return;
  }
  if (options.output === undefined) await say(io, options.json, { supergraphSdl, subgraphs }, supergraphSdl.trimEnd());
}
