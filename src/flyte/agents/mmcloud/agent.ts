import { type AgentError, AgentError_Kind } from '../../../protocol/flyte/generated/flyteidl/admin/agent.ts';
import {
  ExecutionError_ErrorKind,
  TaskExecution_Phase as Phase,
} from '../../../protocol/flyte/generated/flyteidl/core/execution.ts';
import type { JobReport, OpCenter } from '../../../protocol/mmcloud/op-center.ts';
import type { FlyteLog } from '../../source.ts';
import { type AgentResource, type AgentTask, AsyncAgent } from '../agent.ts';
import { MMCloudMetadata } from './metadata.ts';
import { phaseOfStatus } from './statuses.ts';
import { submissionOf } from './submission.ts';

/**
 * Runs Flyte tasks of the type `mmcloud_task` as jobs of Memory Machine Cloud. Outputs are written by the job itself to
 * the task's output prefix. Every method logs in to the OpCenter first where that is needed, and fails as
 * {@link OpCenter} says.
 */
export class MMCloudAgent extends AsyncAgent<MMCloudMetadata> {
  readonly name = 'MMCloud Agent';
  override readonly description = "Runs containers as jobs of MemVerge's Memory Machine Cloud.";
  readonly category = { name: 'mmcloud_task', version: 0 };
  readonly #opCenter: OpCenter;
  readonly #log: FlyteLog;

  constructor(opCenter: OpCenter, log: FlyteLog) {
    super();
    this.#opCenter = opCenter;
    this.#log = log;
  }

  /** Logs in to the OpCenter, unless there is a session. */
  asyncLogin(signal: AbortSignal): Promise<void> {
    return this.#opCenter.login(signal);
  }

  /** Submits the task as a job; the same attempt of the same task once. @throws RollcallError INVALID_INPUT, and as the class says */
  async create(task: AgentTask, signal: AbortSignal): Promise<MMCloudMetadata> {
    return { job_id: await this.#opCenter.submit(submissionOf(task), signal) };
  }

  async get({ job_id }: MMCloudMetadata, signal: AbortSignal): Promise<AgentResource> {
    const job = await this.#opCenter.show(job_id, signal);
    if (job !== undefined) return this.#resource(job);
    const message = `The MMCloud OpCenter knows no job ${job_id}.`;
    return { phase: Phase.FAILED, message, error: failure('JobNotFound', AgentError_Kind.NON_RECOVERABLE) };
  }

  /** Cancels the job. Succeeds for one that has ended, or that is not known. */
  async delete({ job_id }: MMCloudMetadata, signal: AbortSignal): Promise<void> {
    await this.#opCenter.cancel(job_id, signal);
  }

  parseMeta(value: unknown): MMCloudMetadata {
    return MMCloudMetadata.parse(value);
  }

  #resource({ id, status, rc, workingHost, cost }: JobReport): AgentResource {
    const phase = phaseOfStatus(status);
    const details = { status, rc, workingHost, cost };
    const customInfo = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
    if (phase === undefined) {
      this.#log.warn({ job: id, status }, 'MMCloud job has a status that says nothing: it counts as running');
      return { phase: Phase.RUNNING, message: `MMCloud job ${id}: status ${status}, taken for running.`, customInfo };
    }
    const failed = phase === Phase.FAILED || phase === Phase.RETRYABLE_FAILED;
    const kind = phase === Phase.FAILED ? AgentError_Kind.NON_RECOVERABLE : AgentError_Kind.RECOVERABLE;
    return {
      phase,
      message: `MMCloud job ${id}: ${status}${failed && rc !== undefined ? `, exit code ${rc}` : ''}.`,
      customInfo,
      ...(failed ? { error: failure(status, kind) } : {}),
    };
  }
}

const failure = (code: string, kind: AgentError_Kind): AgentError => ({
  code,
  kind,
  origin: ExecutionError_ErrorKind.UNKNOWN,
});
