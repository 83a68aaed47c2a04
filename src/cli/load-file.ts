import { RollcallError, toRollcallError } from '../errors.ts';
import type { LoadOptions } from '../registry/transfer/load.ts';
import type { RegistryAccess } from './access/access.ts';
import { plainMessage } from './messages.ts';
import { type FileRecord, readRecords } from './records-file.ts';

/** A problem of a file, by line. */
export interface LineProblem {
  readonly line: number;
  readonly field: string;
  readonly message: string;
}

/** What was done with a file; with problems, up to the batch that has the first one. */
export interface LoadReport {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly needCredentials: readonly string[];
  readonly problems: readonly LineProblem[];
}

/** A batch is a transaction and, over GraphQL, a request: it stays well below the smallest sensible MAX_BODY_BYTES. */
const BATCH_RECORDS = 500;
const BATCH_BYTES = 4 * 1024 * 1024;
/** Problems that are told at once. */
const MOST_PROBLEMS = 20;

/** The failure of a whole batch, with its lines. What is wrong with the caller is wrong with no line. */
function withLines(error: unknown, batch: readonly FileRecord[]): unknown {
  const { code } = toRollcallError(error);
  if (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN') return error;
  return new RollcallError(code, `lines ${batch[0]!.line} to ${batch.at(-1)!.line}: ${plainMessage(error)}`, {
    cause: error,
  });
}

/**
 * Loads the records of a file batch by batch. A dry run goes on after a problem to find others; a real one stops.
 *
 * @param onProgress is told how many records are done.
 * @throws RollcallError as readRecords and loadRecords.
 */
export async function loadFile(
  access: RegistryAccess,
  path: string,
  options: LoadOptions,
  onProgress: (records: number) => void,
): Promise<LoadReport> {
  const counts = { created: 0, updated: 0, unchanged: 0, skipped: 0 };
  const needCredentials: string[] = [];
  const problems: LineProblem[] = [];
  let records = 0;
  let batch: FileRecord[] = [];
  let bytes = 0;

  const send = async (): Promise<void> => {
    if (batch.length === 0) return;
    const result = await access
      .loadRecords(
        batch.map(({ value }) => value),
        options,
      )
      .catch((error: unknown) => {
        throw withLines(error, batch);
      });
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += result[key];
    for (const handle of result.needCredentials) needCredentials.push(handle);
    for (const { index, field, message } of result.problems)
      problems.push({ line: batch[index]!.line, field, message });
    records += batch.length;
    onProgress(records);
    batch = [];
    bytes = 0;
  };
  const enough = (): boolean => problems.length >= (options.dryRun === true ? MOST_PROBLEMS : 1);

  for await (const read of readRecords(path)) {
    if ('wrong' in read) problems.push({ line: read.line, field: '', message: read.wrong });
    else {
      if (bytes + read.size > BATCH_BYTES) await send();
      batch.push(read);
      bytes += read.size;
      if (batch.length === BATCH_RECORDS) await send();
    }
    if (enough()) break;
  }
  if (!enough()) await send();
  problems.sort((a, b) => a.line - b.line);
  return { ...counts, needCredentials, problems: problems.slice(0, MOST_PROBLEMS) };
}
