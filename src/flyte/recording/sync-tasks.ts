import { isTerminal, type JsonObject } from '../../protocol/a2a/model.ts';
import { sparse } from '../../protocol/flyte/wire.ts';
import type { Job, JobReport } from '../../tasks/tasks.ts';
import type { NewSyncTask, SyncRecord } from '../routing/record.ts';
import { failureOf, isCancelled } from './failures.ts';
import type { RecorderOptions } from './recorder.ts';
import { DELETED, reportOf } from './report.ts';
import { syncStartOf } from './start.ts';
import type { Writes } from './writes.ts';

interface SyncOptions extends RecorderOptions {
  readonly writes: Writes;
}

interface SyncResult {
  readonly report: JobReport | undefined;
  readonly flyte: JsonObject;
}

const NO_RESULT = { code: 'UPSTREAM_INVALID', text: 'The agent gave no result that is final.' };

/** Writes a task that is done within one call (ExecuteTaskSync). The call never waits for it. */
export function recordSync(options: SyncOptions, task: NewSyncTask): SyncRecord {
  const { recorded, principal, storesIo, log, writes } = options;
  const { start, flyte } = syncStartOf(task);
  const begun = writes.begin(() => recorded.begin(principal, start)).result;
  let result: SyncResult = { report: undefined, flyte };
  let isOver = false;
  return {
    answered(message, deployment) {
      if (result.report !== undefined) return;
      const where = deployment === undefined ? {} : { deployment };
      result = { report: resultOf(message, storesIo), flyte: { ...flyte, ...where } };
    },
    ended(error) {
      if (isOver) return;
      isOver = true;
      writeEnd(options, begun, result, error).catch((failure: unknown) =>
        log.warn({ err: failure }, 'a task of Flyte could not be recorded'),
      );
    },
  };
}

async function writeEnd(
  { recorded, writes }: SyncOptions,
  begun: Promise<Job | undefined>,
  { report, flyte }: SyncResult,
  error: unknown,
): Promise<void> {
  const job = await begun;
  if (job === undefined) return;
  // Propeller reads the result and leaves, before the call has ended.
  const told = error === undefined ? report : isCancelled(error) ? (report ?? DELETED) : undefined;
  if (told !== undefined) {
    const metadata = (present: JsonObject): JsonObject => told.metadata({ ...present, flyte });
    await writes.begin(() => recorded.report(job, { ...told, metadata })).result;
    return;
  }
  const { code, text } = error === undefined ? NO_RESULT : failureOf(error);
  await writes.begin(() => recorded.failed(job, code, text, { flyte })).result;
}

/** What an ExecuteTaskSyncResponse says, if it is final: its header has the form of GetTask's answer. */
export function resultOf(message: Buffer, storesIo: boolean): JobReport | undefined {
  try {
    const report = reportOf(sparse(message).bytes(1), 1, storesIo);
    return report !== undefined && isTerminal(report.state) ? report : undefined;
  } catch {
    // An agent may answer anything. Its answer was passed on as it is, and says nothing that could be recorded.
    return undefined;
  }
}
