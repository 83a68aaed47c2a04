import { createWriteStream } from 'node:fs';
import { mkdtemp, access as requireReadable, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { ON_CONFLICT, type OnConflict } from '../../registry/transfer/load.ts';
import type { RegistryAccess } from '../access/access.ts';
import { AlreadyTold } from '../exit.ts';
import { type Io, printable, say } from '../io.ts';
import { type LoadReport, loadFile } from '../load-file.ts';
import { createProgress } from '../progress.ts';
import { type CommonOptions, plural, withAccess, withProgress, withRegistry } from './common.ts';

interface LoadCommandOptions extends CommonOptions {
  readonly onConflict: OnConflict;
  readonly dryRun?: boolean;
  readonly progress?: boolean;
}

const RULES = `
The whole file is checked first: with anything wrong in it, nothing is loaded. It is then loaded in batches, each one a
transaction. Records keep their ids, owners and times; what a record leaves out is made as for a new agent of yours.

On a conflict (the same id, handle, or name and url of a provider): "fail" reports it and loads nothing; "skip" leaves
what is there, and passes over records whose Flyte name, task category or skill id is taken as well; "update" makes what
is there be as the record says, so that loading the same file again changes nothing. A deleted agent comes back.
Loading needs the scope admin. "-" reads standard input.`;

/** `rollcall load`: an export or seed file into the registry. */
export function addLoadCommand(program: Command, io: Io): void {
  withProgress(withAccess(program.command('load <file>')))
    .description('Load an export, or a seed file of the same format, into the registry.')
    .addOption(
      new Option('--on-conflict <what>', 'when a record is of something that is there')
        .choices(ON_CONFLICT)
        .default('fail'),
    )
    .option('--dry-run', 'only check the file, and count what would be done')
    .addHelpText('after', RULES)
    .action(async (file: string, options: LoadCommandOptions) => {
      await withFile(io, file, (path) =>
        withRegistry(io, options, { mayMigrate: options.dryRun !== true }, (access) => load(io, access, path, options)),
      );
    });
}

async function load(io: Io, access: RegistryAccess, path: string, options: LoadCommandOptions): Promise<void> {
  const progress = createProgress(io, options.progress);
  const pass = async (did: string, dryRun: boolean): Promise<LoadReport> => {
    const report = await loadFile(access, path, { onConflict: options.onConflict, dryRun }, (records) =>
      progress.show(`${did} ${plural(records, 'record')}`),
    );
    progress.done();
    return report;
  };
  let report = await pass('checked', true);
  const found = report.problems.length > 0;
  if (!found && options.dryRun !== true) report = await pass('loaded', false);
  const failed = report.problems.length > 0;

  for (const { line, field, message } of report.problems)
    io.stderr.write(`line ${line}: ${field === '' ? '' : `${printable(field)}: `}${printable(message)}\n`);
  tellCredentials(io, report.needCredentials);
  if (options.json === true) await say(io, true, { dryRun: found || options.dryRun === true, ...report }, '');
  else if (!failed) await say(io, false, report, summary(report, options.dryRun === true));
  if (!failed) return;
  const done = report.created + report.updated + report.unchanged + report.skipped;
  io.stderr.write(
    found || done === 0
      ? 'rollcall: nothing was loaded\n'
      : `rollcall: the ${plural(done, 'record')} before that batch were loaded; load the file again with --on-conflict update or skip\n`,
  );
  throw new AlreadyTold();
}

const summary = ({ created, updated, unchanged, skipped }: LoadReport, dryRun: boolean): string =>
  `${dryRun ? 'Would be: ' : ''}${created} created, ${updated} updated, ${unchanged} unchanged, ${skipped} skipped.`;

/** Handles named in the text; --json has all. */
const MOST_NAMED = 50;

function tellCredentials(io: Io, handles: readonly string[]): void {
  if (handles.length === 0) return;
  const rest = handles.length - MOST_NAMED;
  const named = handles.slice(0, MOST_NAMED).map(printable).join(', ');
  io.stderr.write(
    `These agents ask for credentials and have none here; set them with updateAgent: ${named}${rest > 0 ? `, and ${rest} more` : ''}\n`,
  );
}

/** A file is read twice, so standard input is kept in one until the end. */
async function withFile(io: Io, file: string, work: (path: string) => Promise<void>): Promise<void> {
  if (file !== '-') {
    // Before a database is made for a file that is not there.
    await requireReadable(file);
    return work(file);
  }
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-load-'));
  try {
    const path = join(directory, 'stdin');
    await pipeline(io.stdin, createWriteStream(path, { mode: 0o600 }));
    await work(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
