import { createReadStream } from 'node:fs';
import { RollcallError } from '../errors.ts';
import { TRANSFER_FORMAT } from '../registry/transfer/records.ts';

const REMARK =
  'One provider or agent a line. Credentials are never in an export: agents keep their authenticationType, and need their credentials again after a load.';

/** The first line of an export. */
export const headerLine = (): string =>
  JSON.stringify({ ...TRANSFER_FORMAT, exportedAt: new Date().toISOString(), remark: REMARK });

/** One record of a file, and the number of its line, from 1. */
export interface FileRecord {
  readonly line: number;
  readonly value: object;
  /** Of the line, in bytes. */
  readonly size: number;
}

/** A line that cannot be read as a record: `value` is missing from it. */
export interface BrokenLine {
  readonly line: number;
  readonly wrong: string;
}

/** The longest line that is read: a record is as long as its agent's card and skills, far below this. */
const LONGEST_LINE = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * The records of a file of JSON Lines, one at a time. Blank lines are passed over.
 *
 * @throws RollcallError INVALID_INPUT when the first line is not our header, or a line is longer than 64 MiB.
 */
export async function* readRecords(path: string): AsyncGenerator<FileRecord | BrokenLine> {
  let headed = false;
  for await (const { line, bytes } of readLines(path)) {
    const text = decode(bytes);
    if (text?.trim() === '') continue;
    const value = text === undefined ? undefined : parse(text);
    if (!headed) {
      checkHeader(line, value);
      headed = true;
    } else if (value === undefined) yield { line, wrong: text === undefined ? 'is not UTF-8 text' : 'is not JSON' };
    else if (value === null || typeof value !== 'object' || Array.isArray(value))
      yield { line, wrong: 'must be a JSON object' };
    else yield { line, value, size: bytes.length };
  }
  if (!headed) checkHeader(1, undefined);
}

function checkHeader(line: number, value: unknown): void {
  const { format, version } = (value ?? {}) as { format?: unknown; version?: unknown };
  if (format !== TRANSFER_FORMAT.format)
    throw new RollcallError(
      'INVALID_INPUT',
      `line ${line}: the first line must be the header ${JSON.stringify(TRANSFER_FORMAT)}`,
    );
  if (version !== TRANSFER_FORMAT.version)
    throw new RollcallError(
      'INVALID_INPUT',
      `line ${line}: version: this Rollcall reads version ${TRANSFER_FORMAT.version} of the format, not ${JSON.stringify(version)}`,
    );
}

/** Lines end with a line feed alone: JSON may hold the other separators that node:readline would break a record at. */
async function* readLines(path: string): AsyncGenerator<{ line: number; bytes: Buffer }> {
  let line = 1;
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, end));
      yield { line, bytes: Buffer.concat(parts) };
      parts = [];
      length = 0;
      line++;
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > LONGEST_LINE)
      throw new RollcallError('INVALID_INPUT', `line ${line}: is longer than ${LONGEST_LINE / 1024 ** 2} MiB`);
  }
  if (length > 0) yield { line, bytes: Buffer.concat(parts) };
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
