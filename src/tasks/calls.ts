import type { UsageMeter } from '../registry/usage.ts';
import type { Run, StopReason } from './run.ts';

/** Runs that go on elsewhere are counted there. */
const GOES_ON: ReadonlySet<StopReason> = new Set(['lost', 'closing']);

/** Counts a run that is over as one call of its agent. A call that its caller cancelled is counted, and not timed. */
export function recordCall(usage: UsageMeter, run: Run): void {
  const { stopped, fold, agentId, tookMs } = run;
  if (stopped !== undefined && GOES_ON.has(stopped)) return;
  usage.record(agentId, stopped === undefined && fold.state === 'failed', {
    latencyMs: fold.state === 'canceled' ? undefined : tookMs,
  });
}
