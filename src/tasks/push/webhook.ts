import { createHash } from 'node:crypto';
import type { SigningKeys } from '../../auth/signing-keys.ts';
import { toRollcallError } from '../../errors.ts';
import { type Egress, parseOutboundUrl } from '../../upstream/egress.ts';
import type { Notification } from './notifications.ts';
import { type Answer, readRetryAfter } from './retries.ts';

/** Where a notification goes, with its secrets open. */
export interface Target {
  readonly id: string;
  readonly taskId: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly scheme: string | null;
  readonly credentials: string | undefined;
}

/** What sending stands on. */
export interface WebhookOptions {
  readonly egress: Egress;
  readonly keys: SigningKeys;
  /** Who signs: the public URL of this server. */
  readonly issuer: () => string;
  /** For one attempt, until the status is there. Milliseconds. */
  readonly timeoutMs: number;
}

/** How long a signature is valid. Seconds. */
const VALID_SECONDS = 300;
/** What is read of an answer, so that the connection can be used again; nobody wants its contents. */
const MAX_ANSWER_BYTES = 64 * 1024;
const ANSWER_MS = 2_000;

/**
 * The signature of a notification: a JWT over the digest of its body. `jti` is the same for every attempt at it, so that
 * a receiver may use it to tell what came twice.
 */
export function claimsOf(
  issuer: string,
  target: Pick<Target, 'id' | 'taskId' | 'url'>,
  { sequence, body }: Pick<Notification, 'sequence' | 'body'>,
  now = Date.now(),
) {
  const iat = Math.floor(now / 1_000);
  return {
    iss: issuer,
    aud: parseOutboundUrl(target.url).origin,
    iat,
    exp: iat + VALID_SECONDS,
    jti: `${target.id}.${sequence}`,
    task_id: target.taskId,
    sequence,
    request_body_sha256: createHash('sha256').update(body).digest('hex'),
  };
}

/** Posts a notification once. It rejects only with the signal's reason: every failure of the other side is an answer. */
export async function post(
  { egress, keys, issuer, timeoutMs }: WebhookOptions,
  target: Target,
  notification: Notification,
  signal: AbortSignal,
): Promise<Answer> {
  const { url, token, scheme, credentials } = target;
  try {
    const signature = await keys.sign(claimsOf(issuer(), target, notification));
    const answer = await egress.stream(url, {
      method: 'POST',
      headers: {
        'content-type': notification.contentType,
        authorization:
          scheme === null || credentials === undefined ? `Bearer ${signature}` : `${scheme} ${credentials}`,
        'x-rollcall-signature': signature,
        ...(token === undefined ? {} : { 'x-a2a-notification-token': token }),
      },
      body: notification.body,
      timeoutMs,
      redirect: 'refuse',
      signal,
    });
    const late = setTimeout(() => answer.cancel(), ANSWER_MS);
    await answer.bytes(MAX_ANSWER_BYTES).catch(() => answer.cancel());
    clearTimeout(late);
    return { status: answer.status, retryAfterMs: readRetryAfter(answer.headers['retry-after']) };
  } catch (thrown) {
    signal.throwIfAborted();
    return { error: toRollcallError(thrown).message };
  }
}
