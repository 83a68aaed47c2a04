import { invalid } from '../../errors.ts';
import type { Range, Submission } from './op-center.ts';

/** How to sign in to an OpCenter. */
export interface OpCenterCredentials {
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

const JSON_FORMAT = ['--format', 'json'] as const;

const range = ({ min, max }: Range): string => (max === undefined ? `${min}` : `${min}:${max}`);

/** The arguments of the `float` CLI, command by command. */
export const ARGV = {
  /** Succeeds while there is a session, and prolongs it. */
  loginInfo: ['login', '--info'],
  login: ({ address, username, password }: OpCenterCredentials): readonly string[] => [
    'login',
    ...['--address', address],
    ...['--username', username],
    ...['--password', password],
  ],
  /** @param jobFile the script that the job runs */
  submit: ({ cpu, mem, image, env, extra, tag }: Submission, jobFile: string): readonly string[] => [
    'submit',
    '--force',
    ...JSON_FORMAT,
    ...['--cpu', range(cpu)],
    ...['--mem', range(mem)],
    ...['--image', image],
    ...env.flatMap(({ key, value }) => ['--env', `${key}=${value}`]),
    ...(tag === undefined ? [] : ['--customTag', `${TAG_NAME}:${tag}`]),
    ...extra,
    ...['--job', jobFile],
  ],
  show: (id: string): readonly string[] => ['show', ...JSON_FORMAT, '--job', id],
  cancel: (id: string): readonly string[] => ['cancel', '--force', '--job', id],
  list: ['list', ...JSON_FORMAT],
} as const;

/** The name of the tag that marks our jobs. Names and values of tags are letters, digits and dashes, at most 63. */
export const TAG_NAME = 'rollcall-attempt';

/** Options that say which OpCenter, as whom, or what to read and print: they are ours and not the task's. */
const OURS = ['address', 'username', 'password', 'token', 'format', 'job', 'help'];
const OURS_SHORT = 'aupOFjh';
const FLAGS_SHORT = 'fv';

const nameOfLong = (word: string): string => word.slice(2).split('=')[0]!;

function isOurs(word: string): boolean {
  if (word === '--') return true;
  if (word.startsWith('--')) return OURS.includes(nameOfLong(word));
  if (!word.startsWith('-')) return false;
  // Short options can be written together: the first one that takes a value ends the row.
  const letter = [...word.slice(1)].find((each) => !FLAGS_SHORT.includes(each));
  return letter !== undefined && OURS_SHORT.includes(letter);
}

/**
 * Checks a task's own options for submit. Whoever may run a task must not send the session to another OpCenter, nor have
 * any file of this machine submitted as a job.
 *
 * @throws RollcallError INVALID_INPUT
 */
export function checkExtra(extra: readonly string[], field: string): readonly string[] {
  const refused = extra.find(isOurs);
  if (refused === undefined) return extra;
  throw invalid(field, `must not contain ${refused.split('=')[0]}, which is set by this server.`);
}
