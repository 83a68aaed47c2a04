import type { Query } from '../../database/drivers.ts';
import type { SecretBox } from '../../database/secret-box.ts';
import { toRollcallError } from '../../errors.ts';
import type { DialectName } from '../../protocol/a2a/dialects/index.ts';
import { taskById } from '../reads.ts';
import type { DeliveryOutcome } from './model.ts';
import { type Notification, Notifications } from './notifications.ts';
import { type ClaimedConfig, record, release } from './queue.ts';
import { unseal } from './registration.ts';
import { type Answer, judge, type RetryPolicy } from './retries.ts';
import { post, type WebhookOptions } from './webhook.ts';

/** One attempt, for metrics. */
export interface ObservedAttempt {
  readonly outcome: DeliveryOutcome;
  readonly seconds: number;
}

/** What draining stands on. */
export interface DrainOptions {
  readonly query: Query;
  readonly secrets: SecretBox;
  readonly webhook: WebhookOptions;
  readonly retries: RetryPolicy;
  /** Notifications that are delivered before the webhook goes to the end of the queue: a busy one must not starve others. */
  readonly turn: number;
  readonly observe: (attempt: ObservedAttempt) => void;
}

/** When the webhook is to be looked at again: after so many milliseconds; undefined when the log's next event says so. */
export type Next = number | undefined;

/**
 * Delivers what a claimed webhook has not got, one notification after the other: a later one is sent once the earlier
 * one was taken or given up. Ends when nothing is left, when an attempt failed, after a turn, or with `stopping`; the
 * webhook is then free for whoever claims it next.
 *
 * @param signal aborts the attempt under way: it counts for nothing, and is made again
 * @param stopping says whether to leave off after the attempt under way
 */
export async function drain(
  options: DrainOptions,
  config: ClaimedConfig,
  signal: AbortSignal,
  stopping: () => boolean,
): Promise<Next> {
  const { query, retries, observe } = options;
  const row = await taskById(query, config.taskId);
  if (row === undefined) return undefined;
  const notifications = new Notifications(query, row, config.dialect as DialectName, config.cursor);
  let failures = config.attempts;
  for (let delivered = 0; delivered < options.turn && !stopping(); delivered++) {
    const notification = await notifications.next();
    if (notification === undefined) break;
    const started = performance.now();
    let answer: Answer;
    try {
      answer = await attempt(options, config, notification, signal);
    } catch {
      // The server stops: whether the receiver got it is not known, so that it gets it again.
      break;
    }
    const durationMs = performance.now() - started;
    const number = failures + 1;
    const verdict = judge(answer, number, Date.now() - notification.at.getTime(), retries);
    const gone = verdict.outcome === 'failed' && verdict.gone;
    const retryMs = verdict.outcome === 'retrying' ? verdict.afterMs : 0;
    const ours = await record(query, config, {
      sequence: notification.sequence,
      attempt: number,
      outcome: verdict.outcome,
      status: answer.status ?? null,
      error: verdict.outcome === 'delivered' ? null : verdict.error,
      durationMs: Math.round(durationMs),
      retryMs,
      gone,
    });
    observe({ outcome: verdict.outcome, seconds: durationMs / 1_000 });
    if (!ours) return undefined;
    if (verdict.outcome === 'retrying') {
      await release(query, config, notifications.cursor);
      return retryMs;
    }
    failures = 0;
    notifications.passed(notification.sequence);
    if (gone) break;
  }
  return (await release(query, config, notifications.cursor)) ? 0 : undefined;
}

async function attempt(
  { webhook, secrets }: DrainOptions,
  config: ClaimedConfig,
  notification: Notification,
  signal: AbortSignal,
): Promise<Answer> {
  let opened: ReturnType<typeof unseal>;
  try {
    opened = unseal(secrets, config);
  } catch (error) {
    return { error: toRollcallError(error).message };
  }
  return post(webhook, { ...config, ...opened }, notification, signal);
}
