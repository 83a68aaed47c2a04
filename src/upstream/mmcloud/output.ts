import { RollcallError } from '../../errors.ts';
import { TAG_NAME } from '../../protocol/mmcloud/argv.ts';
import { type JobReport } from '../../protocol/mmcloud/op-center.ts';
import { quoteWord } from '../../protocol/mmcloud/shell-words.ts';
import type { Finished } from './process.ts';

/** What `show` and `cancel` say of a job that is not there: "Error: Invalid argument, invalid job ID (code: 1003)". */
export const saysNoSuchJob = ({ exitCode, stdout, stderr }: Finished): boolean =>
  exitCode !== 0 && /invalid job ID|\(code: 1003\)/i.test(stderr + stdout);

const MAX_SAID = 500;
/** Shorter values are words like "1" or "true": to take them out would garble every text. */
const MIN_SECRET = 6;

/**
 * The line of its output that says why a command failed, without secrets: it goes to the user.
 *
 * @param password never told, however short
 * @param values further values that may be secret
 */
export function reasonOf({ stdout, stderr }: Finished, password: string, values: readonly string[] = []): string {
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  let said = lines.findLast((line) => /^error/i.test(line.trim())) ?? lines.at(-1) ?? 'it said nothing';
  const secrets = [password, ...values.filter((value) => value.length >= MIN_SECRET)].filter((value) => value !== '');
  // The longest first: one may be a part of another.
  for (const secret of secrets.flatMap(spellings).toSorted((a, b) => b.length - a.length)) {
    said = said.replaceAll(secret, '(secret)');
  }
  return said.trim().slice(0, MAX_SAID);
}

/** How a value may come back in a text: as it is, escaped as in JSON, in a URL or for a shell. */
const spellings = (value: string): string[] => [
  value,
  JSON.stringify(value).slice(1, -1),
  encodeURIComponent(value.toWellFormed()),
  quoteWord(value),
];

const unreadable = (command: string): RollcallError =>
  new RollcallError('UPSTREAM_INVALID', `The answer of float ${command} cannot be read.`);

function parse(command: string, stdout: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    // JSON's own error quotes the text, which may hold anything.
    throw unreadable(command);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** The id in the answer of submit. @throws RollcallError UPSTREAM_INVALID */
export function submittedId(stdout: string): string {
  const answer = parse('submit', stdout);
  const id = isObject(answer) ? textOf(answer['id']) : undefined;
  if (id === undefined) throw unreadable('submit');
  return id;
}

/** The answer of show. @throws RollcallError UPSTREAM_INVALID */
export function shownJob(id: string, stdout: string): JobReport {
  const answer = parse('show', stdout);
  const status = isObject(answer) ? textOf(answer['status']) : undefined;
  if (!isObject(answer) || status === undefined) throw unreadable('show');
  const { rc, workingHost, cost } = answer;
  return { id, status, rc: textOf(rc), workingHost: textOf(workingHost), cost: textOf(cost) };
}

/** The id of the job with that tag in the answer of list. @throws RollcallError UPSTREAM_INVALID */
export function taggedId(tag: string, stdout: string): string | undefined {
  if (/^\s*(no jobs\s*)?$/i.test(stdout)) return undefined;
  const jobs = parse('list', stdout);
  if (jobs === null) return undefined;
  if (!Array.isArray(jobs)) throw unreadable('list');
  const found = jobs.find((job) => isObject(job) && isObject(job['customTags']) && job['customTags'][TAG_NAME] === tag);
  return found === undefined ? undefined : textOf(found['id']);
}
