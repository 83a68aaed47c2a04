/** When a failed notification is tried again, and when it is given up. Times in milliseconds. */
export interface RetryPolicy {
  /** The first pause; each further one is twice as long, up to `longestMs`. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** Longest pause that a receiver may ask for by Retry-After. */
  readonly longestAskedMs: number;
  /** Attempts at one notification. */
  readonly attempts: number;
  /** A notification older than this is not tried again. */
  readonly maxAgeMs: number;
}

/** About two and a half hours of attempts, the last ones 15 minutes apart. */
export const RETRIES: RetryPolicy = {
  firstMs: 1_000,
  longestMs: 15 * 60_000,
  longestAskedMs: 60 * 60_000,
  attempts: 20,
  maxAgeMs: 24 * 60 * 60_000,
};

/** What came of one attempt: the answer's status, or why there was none. */
export type Answer =
  | { readonly status: number; readonly retryAfterMs: number | undefined }
  | { readonly error: string; readonly status?: never };

/** What follows from an attempt. */
export type Verdict =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'retrying'; readonly error: string; readonly afterMs: number }
  | { readonly outcome: 'failed'; readonly error: string; readonly gone: boolean };

/** Answers that say that the same body will never be taken: trying again would only hold back what follows. */
const REFUSES_BODY: ReadonlySet<number> = new Set([400, 405, 411, 413, 414, 415, 422, 431, 501]);
const GONE = 410;

/**
 * Judges one attempt. 2xx is delivered; 410 ends the webhook; a refusal of the body gives the notification up at once.
 * All else is tried again: a receiver that answers 401, 403 or 404 may only be in the middle of a deployment.
 *
 * @param attempt from 1
 * @param ageMs how old the event is
 * @param random 0 to 1: pauses are spread over the upper half, so that receivers that failed together do not meet again
 */
export function judge(
  answer: Answer,
  attempt: number,
  ageMs: number,
  policy: RetryPolicy,
  random = Math.random(),
): Verdict {
  const { status } = answer;
  if (status !== undefined && status >= 200 && status < 300) return { outcome: 'delivered' };
  const error = status === undefined ? answer.error : `The receiver answered ${status}.`;
  if (status === GONE) return { outcome: 'failed', error: `${error} Nothing more is sent to it.`, gone: true };
  if (status !== undefined && REFUSES_BODY.has(status)) return { outcome: 'failed', error, gone: false };
  if (attempt >= policy.attempts || ageMs >= policy.maxAgeMs) {
    return { outcome: 'failed', error: `${error} Given up after ${attempt} attempts.`, gone: false };
  }
  const backOff = Math.min(policy.longestMs, policy.firstMs * 2 ** (attempt - 1)) * (0.5 + random / 2);
  const asked = status === undefined ? 0 : Math.min(answer.retryAfterMs ?? 0, policy.longestAskedMs);
  return { outcome: 'retrying', error, afterMs: Math.max(backOff, asked) };
}

/** Retry-After (RFC 9110 §10.2.3) in milliseconds from now; undefined when it says nothing. */
export function readRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
