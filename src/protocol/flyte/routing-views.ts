import { RollcallError } from '../../errors.ts';
import { TaskExecutionIdentifier } from './generated/flyteidl/core/identifier.ts';
import { type SparseFields, sparse, withField, withMessageField } from './wire.ts';

/** By what a task is routed. */
export interface CategoryKey {
  readonly name: string;
  readonly version: number;
}

/** What routes a new task. */
export interface CreateView {
  readonly category: CategoryKey;
  /** One attempt of one task of one run; undefined when the caller does not say. */
  readonly executionKey: string | undefined;
}

/** What routes a call about a task that exists. */
export interface JobView {
  readonly category: CategoryKey;
  readonly resourceMeta: Buffer;
}

const missing = (field: string): RollcallError =>
  new RollcallError('INVALID_INPUT', `${field}: is empty; it says which agent the task is for.`, { field });

function createView(fields: SparseFields, templateField: number, metadataField: number): CreateView {
  const template = fields.message(templateField);
  if (template === undefined) throw missing('template');
  const name = template.string(2);
  if (name === '') throw missing('template.type');
  const id = fields.message(metadataField)?.bytes(1);
  return { category: { name, version: template.int32(7) }, executionKey: executionKey(id) };
}

function executionKey(id: Buffer | undefined): string | undefined {
  if (id === undefined || id.length === 0) return undefined;
  const { taskId, nodeExecutionId, retryAttempt } = executionId(id);
  const run = nodeExecutionId?.executionId;
  // Without a run the id names a definition and not a piece of work: two runs would share it.
  if (run === undefined || run.name === '') return undefined;
  const task = [taskId?.org, taskId?.project, taskId?.domain, taskId?.name, taskId?.version];
  const node = [run.org, run.project, run.domain, run.name, nodeExecutionId?.nodeId];
  return JSON.stringify([...node, ...task, retryAttempt]);
}

function executionId(bytes: Buffer): TaskExecutionIdentifier {
  try {
    return TaskExecutionIdentifier.decode(bytes);
  } catch (cause) {
    throw new RollcallError('INVALID_INPUT', 'task_execution_id: is not a valid protobuf message.', { cause });
  }
}

/** Of CreateTaskRequest. @throws RollcallError INVALID_INPUT without template or type */
export const createTaskView = (request: Buffer): CreateView => createView(sparse(request), 2, 4);

/** Of the first ExecuteTaskSyncRequest. @throws RollcallError INVALID_INPUT when it is no header, or lacks template or type */
export function executeTaskSyncView(request: Buffer): CreateView {
  const header = sparse(request).message(1);
  if (header === undefined) throw new RollcallError('INVALID_INPUT', 'header: must be the first message.');
  return createView(header, 1, 3);
}

/**
 * Of GetTask, DeleteTask, GetTaskMetrics and GetTaskLogs, whose category has the given number. A request without a
 * category names the type alone, in its version 0.
 * @throws RollcallError INVALID_INPUT without either
 */
export function jobView(request: Buffer, categoryField: number): JobView {
  const fields = sparse(request);
  const category = fields.message(categoryField);
  const categoryName = category?.string(1) ?? '';
  const name = categoryName === '' ? fields.string(1) : categoryName;
  if (name === '') throw missing('task_category.name');
  const version = categoryName === '' ? 0 : (category?.int32(2) ?? 0);
  return { category: { name, version }, resourceMeta: fields.bytes(2) };
}

/**
 * The resource_meta that a CreateTaskResponse carries.
 *
 * @param by who gave the answer
 * @throws RollcallError UPSTREAM_INVALID for bytes that are no such message
 */
export function createdMeta(response: Buffer, by = 'The agent'): Buffer {
  try {
    return sparse(response).bytes(1);
  } catch (cause) {
    throw new RollcallError(
      'UPSTREAM_INVALID',
      `${by} answered CreateTask with bytes that are no CreateTaskResponse.`,
      {
        cause,
      },
    );
  }
}

/** A CreateTaskResponse with another resource_meta. */
export const withCreatedMeta = (response: Buffer, meta: Buffer): Buffer => withField(response, 1, meta);

/** A request about a job (as {@link jobView}) with another resource_meta. */
export const withJobMeta = (request: Buffer, meta: Buffer): Buffer => withField(request, 2, meta);

/** Whether a GetTaskResponse says how a job stands. @throws RollcallError UPSTREAM_INVALID for bytes that are no such message */
export function hasResource(response: Buffer): boolean {
  try {
    return sparse(response).message(1) !== undefined;
  } catch (cause) {
    throw new RollcallError('UPSTREAM_INVALID', 'The answer to GetTask is not a GetTaskResponse.', { cause });
  }
}

/** The phase (flyteidl.core.TaskExecution.Phase) that a GetTaskResponse reports; 0 when it does not. */
export const phaseOf = (response: Buffer): number => sparse(response).message(1)?.int32(5) ?? 0;

/** A GetTaskResponse whose resource has another message, and is otherwise the same. */
export function withMessage(response: Buffer, message: string): Buffer {
  const resource = sparse(response).messageBytes(1) ?? Buffer.alloc(0);
  return withMessageField(response, 1, withField(resource, 3, Buffer.from(message, 'utf8')));
}
