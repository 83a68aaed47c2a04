import type { Metrics } from '../http/metrics.ts';
import type { Push } from '../tasks/push/push.ts';

/** Counts push notifications: attempts as they are made, what waits when the metrics are read. */
export function measurePush(metrics: Metrics, push: Push): void {
  push.observe(({ outcome, seconds }) => metrics.push.observe({ outcome }, seconds));
  metrics.measurePushBacklog(() => push.backlog());
}
