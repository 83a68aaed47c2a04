import type { DialectName } from '../../protocol/a2a/dialects/index.ts';

/** Most webhooks of one task. */
export const MAX_CONFIGS = 20;
/** Attempts that the delivery log of one webhook keeps. */
export const KEPT_DELIVERIES = 100;

/**
 * `active`: events are delivered as they come. `done`: the task has ended, and its last event was delivered or given up.
 * `gone`: the receiver answered 410, and gets nothing more.
 */
export const PUSH_STATES = ['active', 'done', 'gone'] as const;
export type PushState = (typeof PUSH_STATES)[number];

/** `retrying`: it failed and will be tried again. `failed`: it was given up. */
export const DELIVERY_OUTCOMES = ['delivered', 'retrying', 'failed'] as const;
export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];

/** A webhook as its owner may read it: secrets are written and never read. */
export interface StoredPushConfig {
  readonly id: string;
  readonly taskId: string;
  /** The id that clients know, unique in its task. */
  readonly name: string;
  readonly url: string;
  readonly hasToken: boolean;
  readonly scheme: string | null;
  readonly hasCredentials: boolean;
  readonly dialect: DialectName;
  readonly state: PushState;
  /** The last sequence of the log that was delivered, or given up. */
  readonly cursor: number;
  /** Failed attempts at the notification after it. */
  readonly attempts: number;
  /** When the next attempt is due; null while nothing waits. */
  readonly nextAt: Date | null;
  readonly createdAt: Date;
}

/** One attempt to deliver. */
export interface PushDelivery {
  readonly sequence: number;
  /** From 1, for each notification. */
  readonly attempt: number;
  readonly outcome: DeliveryOutcome;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** What went wrong, without the receiver's words. */
  readonly error: string | null;
  readonly durationMs: number;
  readonly at: Date;
}
