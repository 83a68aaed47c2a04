import { newId } from '../../database/ids.ts';
import type { JsonObject, Message, Part } from '../../protocol/a2a/model.ts';
import { TaskExecutionIdentifier } from '../../protocol/flyte/generated/flyteidl/core/identifier.ts';
import { LiteralMap } from '../../protocol/flyte/generated/flyteidl/core/literals.ts';
import { type SparseFields, sparse } from '../../protocol/flyte/wire.ts';
import type { JobStart } from '../../tasks/tasks.ts';
import { partsOf } from '../agents/engine/message.ts';
import { nameOf } from '../routing/dispatcher.ts';
import type { NewJob, NewSyncTask } from '../routing/record.ts';

/** Inputs or outputs of more bytes are not kept: a task is read as a whole. */
export const MOST_KEPT_BYTES = 1 << 20;

/** Literals as parts of a message. What is too large, or is not in a message, is named instead. */
export function keptLiterals(bytes: Buffer): readonly Part[] {
  if (bytes.length === 0) return [];
  if (bytes.length > MOST_KEPT_BYTES) return [{ text: `${bytes.length} bytes, which are not kept.` }];
  try {
    return partsOf(LiteralMap.decode(bytes));
  } catch {
    return [{ text: `${bytes.length} bytes of a kind that is not kept.` }];
  }
}

/** No text of the database holds NUL. */
const clean = (text: string): string => text.replaceAll('\u0000', '');

/** Whose work it is, as far as the request says. */
function executionOf(taskExecutionMetadata: SparseFields | undefined) {
  const id = taskExecutionMetadata?.bytes(1);
  if (id === undefined || id.length === 0) return undefined;
  const { taskId, nodeExecutionId, retryAttempt } = TaskExecutionIdentifier.decode(id);
  const run = nodeExecutionId?.executionId;
  if (run === undefined || run.name === '') return undefined;
  return {
    project: clean(run.project),
    domain: clean(run.domain),
    run: clean(run.name),
    node: clean(nodeExecutionId?.nodeId ?? ''),
    task: clean(taskId?.name ?? ''),
    attempt: retryAttempt,
  };
}

/** A task as it is stored before its job is created, and what its metadata say of it from then on. */
export function startOf(job: NewJob, storesIo: boolean): { readonly start: JobStart; readonly flyte: JsonObject } {
  const { generation, agentId, category, executionKey } = job;
  const request = sparse(job.request);
  // The second generation's bodies are not ours to read.
  const inputs = storesIo && generation === 1 ? keptLiterals(request.bytes(1)) : [];
  const execution = executionOf(request.message(4));
  const key = executionKey === undefined ? undefined : `flyte ${generation} ${nameOf(category)} ${executionKey}`;
  return stored({ generation, agentId, category, key, execution, inputs });
}

/** As {@link startOf}, for a task that is done at once: each call is one. Its inputs come after it, and are not kept. */
export function syncStartOf({ agentId, category, header }: NewSyncTask) {
  const execution = executionOf(sparse(header).message(1)?.message(3));
  return stored({ generation: 1, agentId, category, key: undefined, execution, inputs: [] });
}

interface Asked extends Pick<NewJob, 'generation' | 'agentId' | 'category'> {
  readonly key: string | undefined;
  readonly execution: ReturnType<typeof executionOf>;
  readonly inputs: readonly Part[];
}

function stored({ generation, agentId, category, key, execution, inputs }: Asked) {
  const whose =
    execution &&
    `, node ${execution.node} of ${execution.project}/${execution.domain}/${execution.run}, attempt ${execution.attempt}`;
  const message: Message = {
    messageId: newId(),
    role: 'user',
    parts: [{ text: `${nameOf(category)}${whose ?? ''}` }, ...inputs],
  };
  const start: JobStart = {
    id: newId(),
    agentId,
    key,
    // The tasks of one run belong together.
    contextId: execution && `flyte:${execution.project}/${execution.domain}/${execution.run}`,
    message,
    place: { generation, category: { name: category.name, version: category.version } },
  };
  const flyte: JsonObject = {
    taskType: category.name,
    version: category.version,
    generation,
    ...(execution && { execution }),
  };
  return { start, flyte };
}
