import { createHash } from 'node:crypto';
import { newId } from '../../database/ids.ts';
import type { SecretBox } from '../../database/secret-box.ts';
import { invalid } from '../../errors.ts';
import { DIALECTS, type DialectName } from '../../protocol/a2a/dialects/index.ts';
import type { PushConfig } from '../../protocol/a2a/model.ts';
import type { Egress } from '../../upstream/egress.ts';

/** A webhook that was checked, and is to be stored once the id of its task is known. */
export interface Registration {
  /** The id that it is known by; from the task's id where the dialect has one webhook per task. */
  name(taskId: string): string;
  readonly url: string;
  readonly token: string | undefined;
  readonly scheme: string | undefined;
  readonly credentials: string | undefined;
  readonly dialect: DialectName;
}

const MAX_ID = 255;
const MAX_URL = 2_048;
const MAX_TOKEN = 4_096;
const MAX_CREDENTIALS = 8_192;
const SCHEME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const HEADER_TEXT = /^[\x20-\x7e]*$/;

function checkHeaderText(field: string, value: string | undefined, longest: number): void {
  if (value === undefined || (value.length <= longest && HEADER_TEXT.test(value) && value.trim() === value)) return;
  throw invalid(field, `must be at most ${longest} printable ASCII characters, without blanks at its ends`);
}

/**
 * Checks a webhook as a caller gives it, and whether it may be called at all.
 *
 * @param repeats what makes a repetition of this registration the same one; without it, one that names no id is another
 *   webhook each time (in 1.0; the older dialects know one per task, which is then replaced).
 * @throws RollcallError INVALID_INPUT naming the field; EGRESS_DENIED, UPSTREAM_UNREACHABLE (no such host).
 */
export async function register(
  egress: Egress,
  config: PushConfig,
  dialect: DialectName,
  repeats?: string,
): Promise<Registration> {
  const { id, url, authentication } = config;
  const token = config.token || undefined;
  const credentials = authentication?.credentials || undefined;
  if (id !== undefined && (id.length > MAX_ID || id.includes('\u0000') || !id.isWellFormed())) {
    throw invalid('id', `must be 1 to ${MAX_ID} characters, without NUL`);
  }
  if (url.length > MAX_URL) throw invalid('url', `must not be longer than ${MAX_URL} characters`);
  checkHeaderText('token', token, MAX_TOKEN);
  checkHeaderText('authentication.credentials', credentials, MAX_CREDENTIALS);
  if (authentication !== undefined && !SCHEME.test(authentication.scheme)) {
    throw invalid('authentication.scheme', 'must be the name of an HTTP authentication scheme, such as Bearer');
  }
  await egress.check(url, 'url');
  const onePerTask = DIALECTS[dialect].unnamedPushConfig === 'task';
  const made = repeats === undefined ? newId() : idFrom(`${repeats}\n${url}`);
  return {
    name: (taskId) => id || (onePerTask ? taskId : made),
    url,
    token,
    scheme: authentication?.scheme,
    credentials,
    dialect,
  };
}

/** A UUID (version 8, RFC 9562 §5.8) that is the same for the same text. */
function idFrom(text: string): string {
  const bytes = createHash('sha256').update('push config\0').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const place = (taskId: string, name: string, column: 'token' | 'credentials') => ({
  table: 'push_config',
  row: `${taskId}/${name}`,
  column,
});

/** A webhook as it is stored: its secrets are sealed, bound to task and name. */
export interface SealedConfig {
  readonly id: string;
  readonly taskId: string;
  readonly name: string;
  readonly url: string;
  readonly token: string | null;
  readonly scheme: string | null;
  readonly credentials: string | null;
  readonly dialect: string;
}

export function seal(box: SecretBox, registration: Registration, taskId: string): SealedConfig {
  const { url, token, scheme, credentials, dialect } = registration;
  const name = registration.name(taskId);
  return {
    id: newId(),
    taskId,
    name,
    url,
    token: token === undefined ? null : box.seal(token, place(taskId, name, 'token')),
    scheme: scheme ?? null,
    credentials: credentials === undefined ? null : box.seal(credentials, place(taskId, name, 'credentials')),
    dialect,
  };
}

/** The secrets of a stored webhook. @throws RollcallError FAILED_PRECONDITION when they were sealed under another key. */
export function unseal(
  box: SecretBox,
  { taskId, name, token, credentials }: Pick<SealedConfig, 'taskId' | 'name' | 'token' | 'credentials'>,
): { readonly token: string | undefined; readonly credentials: string | undefined } {
  return {
    token: token === null ? undefined : box.open(token, place(taskId, name, 'token')),
    credentials: credentials === null ? undefined : box.open(credentials, place(taskId, name, 'credentials')),
  };
}
