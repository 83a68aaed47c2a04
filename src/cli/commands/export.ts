import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { RegistryAccess } from '../access/access.ts';
import { type Io, say } from '../io.ts';
import { createProgress, type Progress } from '../progress.ts';
import { headerLine } from '../records-file.ts';
import { type CommonOptions, plural, withAccess, withProgress, withRegistry } from './common.ts';

interface ExportOptions extends CommonOptions {
  readonly progress?: boolean;
}

const FORMAT = `
The file is JSON Lines: a header, then one provider or agent a line, providers first, each by id. Agents come with skills,
task categories, Flyte deployments and source card; credentials are never in it, only their type. "-" writes to standard output.`;

/** `rollcall export`: the registry as JSON Lines. */
export function addExportCommand(program: Command, io: Io): void {
  withProgress(withAccess(program.command('export <file>')))
    .description('Write the registry, as far as you may see it, to a file that rollcall load reads.')
    .addHelpText('after', FORMAT)
    .action((file: string, options: ExportOptions) =>
      withRegistry(io, options, { mayMigrate: false }, async (access) => {
        const progress = createProgress(io, options.progress);
        const counts = { provider: 0, agent: 0 };
        const text = lines(access, counts, progress);
        if (file === '-') {
          await pipeline(text, io.stdout, { end: false });
          progress.done();
          return;
        }
        await writeWhole(file, text);
        progress.done();
        await say(
          io,
          options.json,
          { file, providers: counts.provider, agents: counts.agent },
          `Exported ${plural(counts.provider, 'provider')} and ${plural(counts.agent, 'agent')} to ${file}.`,
        );
      }),
    );
}

async function* lines(
  access: RegistryAccess,
  counts: Record<'provider' | 'agent', number>,
  progress: Progress,
): AsyncGenerator<string> {
  yield `${headerLine()}\n`;
  let after: string | null = null;
  do {
    const page = await access.exportRecords(after);
    for (const record of page.records) counts[(record as { kind: 'provider' | 'agent' }).kind]++;
    if (page.records.length > 0) yield `${page.records.map((record) => JSON.stringify(record)).join('\n')}\n`;
    progress.show(`${plural(counts.provider, 'provider')}, ${plural(counts.agent, 'agent')}`);
    after = page.next;
  } while (after !== null);
}

/** The file appears when it is complete; what was there before stays until then. */
async function writeWhole(file: string, text: AsyncGenerator<string>): Promise<void> {
  const draft = `${file}.${process.pid}.part`;
  try {
    await pipeline(text, createWriteStream(draft));
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
