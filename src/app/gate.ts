import type { Authenticator } from '../auth/authenticator.ts';
import type { Config } from '../config.ts';
import { Gate, type GateObservers } from '../http/gate.ts';
import type { Metrics } from '../http/metrics.ts';
import type { TaskLimits } from '../tasks/context.ts';

/** The gate of the configuration, which all doors share. */
export const configuredGate = (
  config: Config,
  authenticator: Authenticator,
  metrics: Metrics,
  observers: Pick<GateObservers, 'denied'> = {},
): Gate =>
  new Gate(
    authenticator,
    {
      requests: config.RATE_LIMIT_PER_CALLER ?? 0,
      addressRequests: config.RATE_LIMIT_PER_ADDRESS ?? 0,
      streams: config.MAX_STREAMS_PER_CALLER ?? 0,
      sockets: config.MAX_SOCKETS_PER_CALLER ?? 0,
    },
    { ...observers, refused: (code, door) => metrics.refusals.inc({ code, door }) },
  );

/** What the task engine limits. */
export const configuredTaskLimits = (config: Config): TaskLimits => ({
  runningTasks: config.MAX_RUNNING_TASKS_PER_CALLER ?? 0,
  pushConfigs: config.MAX_PUSH_CONFIGS_PER_CALLER ?? 0,
});
