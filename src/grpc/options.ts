import type { ServerOptions } from '@grpc/grpc-js';
import { keptAnswers } from './kept-answers.ts';
import { type EndedCall, observedCalls } from './observed.ts';

/** How long connections live, and how dead ones are found. Milliseconds. */
export interface ConnectionTimings {
  /** Clients reconnect now and then, so that a new replica gets its share of them. */
  readonly maxAgeMs: number;
  /** What running calls get after that; without it they may go on for ever. */
  readonly maxAgeGraceMs: number;
  /** Finds connections whose other end vanished without a word. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

const MINUTE_MS = 60_000;

const TIMINGS: Omit<ConnectionTimings, 'maxAgeGraceMs'> = {
  maxAgeMs: 10 * MINUTE_MS,
  keepaliveMs: MINUTE_MS,
  keepaliveTimeoutMs: 20_000,
};

export interface GrpcServerOptions {
  /** Largest message that is taken; bytes. What is sent is not limited: it was made here, or taken under a limit before. */
  readonly maxReceiveBytes: number;
  readonly timings?: Partial<ConnectionTimings> | undefined;
  /** Hears of each call of a method that the server has, once, when it ended. */
  readonly onCall?: ((call: EndedCall) => void) | undefined;
}

/** What a server of ours is made with. */
export function serverOptions({ maxReceiveBytes, timings, onCall }: GrpcServerOptions): ServerOptions {
  const { maxAgeMs, maxAgeGraceMs, keepaliveMs, keepaliveTimeoutMs } = { ...TIMINGS, ...timings };
  return {
    'grpc.max_receive_message_length': maxReceiveBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_connection_age_ms': maxAgeMs,
    ...(maxAgeGraceMs === undefined ? {} : { 'grpc.max_connection_age_grace_ms': maxAgeGraceMs }),
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    // Its records of every call are kept for a service that no server here has.
    'grpc.enable_channelz': 0,
    interceptors: [keptAnswers, ...(onCall === undefined ? [] : [observedCalls(onCall)])],
  };
}
