import { createHash } from 'node:crypto';
import type { Principal } from '../../../auth/principal.ts';
import { newId } from '../../../database/ids.ts';
import { RollcallError } from '../../../errors.ts';
import type { Message } from '../../../protocol/a2a/model.ts';
import { AgentError_Kind } from '../../../protocol/flyte/generated/flyteidl/admin/agent.ts';
import {
  ExecutionError_ErrorKind,
  TaskExecution_Phase as Phase,
} from '../../../protocol/flyte/generated/flyteidl/core/execution.ts';
import { shapeOf } from '../../../protocol/flyte/typed-literals.ts';
import type { TaskDetails, Tasks } from '../../../tasks/tasks.ts';
import type { FlyteCategory } from '../../source.ts';
import { type AgentResource, type AgentTask, AsyncAgent } from '../agent.ts';
import { partsOf } from './message.ts';
import { type EngineMeta, parseEngineMeta } from './meta.ts';
import { type DeclaredOutputs, outputsOf } from './results.ts';
import { PHASE_OF_STATE, WAITS } from './states.ts';

/** The part of the task engine that is used here. */
export type Engine = Pick<Tasks, 'send' | 'get' | 'cancel'>;

/** What leads to an agent of the registry. */
export interface EngineAgentOptions {
  readonly engine: Engine;
  /** Who sends, and owns the tasks. */
  readonly principal: Principal;
  readonly agentId: string;
  readonly name: string;
  readonly category: FlyteCategory;
}

/**
 * An agent of the registry that speaks A2A (or whatever else the task engine drives) as an agent of Flyte: a task's inputs
 * are sent as a message, its artifacts are the outputs. It is a task like any other, in every door.
 */
export class EngineAgent extends AsyncAgent<EngineMeta> {
  readonly name: string;
  readonly category: FlyteCategory;
  readonly #options: EngineAgentOptions;

  constructor(options: EngineAgentOptions) {
    super();
    this.name = options.name;
    this.category = options.category;
    this.#options = options;
  }

  /** @throws as Tasks.send, and INVALID_INPUT for inputs that are not in the message */
  async create({ template, inputs, executionKey }: AgentTask): Promise<EngineMeta> {
    const { engine, principal, agentId } = this.#options;
    const message: Message = { messageId: newId(), role: 'user', parts: partsOf(inputs) };
    const request = { message, configuration: { returnImmediately: true } };
    const idempotencyKey = executionKey === undefined ? undefined : `flyte-${digest(executionKey)}`;
    const { taskId } = await engine.send(principal, agentId, request, { idempotencyKey });
    const variables = Object.entries(template.interface?.outputs?.variables ?? {});
    const outputs = Object.fromEntries(variables.map(([name, { type }]) => [name, shapeOf(type)]));
    return { rollcall_task: taskId, outputs };
  }

  async get({ rollcall_task, outputs }: EngineMeta): Promise<AgentResource> {
    const { engine, principal } = this.#options;
    const details = await engine.get(principal, rollcall_task, { historyLength: 0 }).catch(unlessGone);
    if (details === undefined) return failed(`There is no task ${rollcall_task} any more.`, 'TASK_NOT_FOUND');
    return resourceOf(details, outputs);
  }

  /** Cancels the task. Succeeds for one that has ended, or that is not there. */
  async delete({ rollcall_task }: EngineMeta): Promise<void> {
    const { engine, principal } = this.#options;
    try {
      await engine.cancel(principal, rollcall_task);
    } catch (error) {
      if (!(error instanceof RollcallError) || error.code === 'TASK_NOT_FOUND') return unlessGone(error);
      if (error.code !== 'TASK_NOT_CANCELABLE') throw error;
      // It has ended, or its agent will not stop: only the first is what the caller wants.
      const details = await engine.get(principal, rollcall_task, { historyLength: 0 }).catch(unlessGone);
      if (details !== undefined && details.row.finishedAt === null) throw error;
    }
  }

  parseMeta(value: unknown): EngineMeta {
    return parseEngineMeta(value);
  }
}

const digest = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

function unlessGone(error: unknown): undefined {
  if (error instanceof RollcallError && error.code === 'TASK_NOT_FOUND') return undefined;
  throw error;
}

const failed = (message: string, code: string): AgentResource => ({
  phase: Phase.FAILED,
  message,
  error: { code, kind: AgentError_Kind.NON_RECOVERABLE, origin: ExecutionError_ErrorKind.UNKNOWN },
});

const MAX_SAID = 2_000;
const textOf = (message: Message | undefined): string =>
  (message?.parts ?? [])
    .flatMap(({ text }) => (text === undefined ? [] : [text]))
    .join('')
    .slice(0, MAX_SAID);

function resourceOf({ row, task }: TaskDetails, declared: DeclaredOutputs): AgentResource {
  const { state, message } = task.status;
  const phase = PHASE_OF_STATE[state];
  const waits = WAITS[state];
  const said = textOf(message);
  const customInfo = { taskId: row.id, contextId: row.contextId, state };
  const text = `Task ${row.id} ${waits ?? `is ${state}`}${said === '' ? '.' : `: ${said}`}`;
  if (phase === Phase.FAILED) return { ...failed(text, state), customInfo };
  if (phase !== Phase.SUCCEEDED) return { phase, message: text, customInfo };
  try {
    return { phase, message: text, customInfo, outputs: outputsOf(task, declared) };
  } catch (error) {
    // To ask again would give the same: the task has ended, and these are its artifacts.
    if (!(error instanceof RollcallError)) throw error;
    return { ...failed(error.message, error.code), customInfo };
  }
}
