import type { Scope } from '../auth/principal.ts';
import { invalid, RollcallError } from '../errors.ts';
import { CARD_FORM_OF } from '../protocol/a2a/card/index.ts';
import type { DialectName, WriteOptions } from '../protocol/a2a/dialects/index.ts';
import { type Artifact, isTerminal } from '../protocol/a2a/model.ts';
import type { Operation, RequestOf, ResultOf, UnaryOperation } from '../protocol/a2a/requests.ts';
import { requireScope } from '../registry/visibility.ts';
import type { SentTask, TaskStreamItem } from '../tasks/tasks.ts';
import type { A2aCore, Call } from './call.ts';
import { findTask } from './find-task.ts';
import { notPageToken } from './page-token.ts';
import { PUSH_HANDLERS } from './push-configs.ts';

/** How an answer is to be written: the dialect, and the ids that this client knows. */
export interface Answering {
  readonly dialect: DialectName;
  readonly ids: WriteOptions;
  /** The extensions that are in use in this answer. */
  readonly activated?: readonly string[];
}

export interface Answer<O extends UnaryOperation> extends Answering {
  readonly result: ResultOf[O];
}

export interface StreamAnswer extends Answering {
  readonly items: AsyncGenerator<TaskStreamItem>;
  /** A subscriber may watch a task that waits for input; to who sent a message, that state is the end of the answer. */
  readonly watching: boolean;
  /** The artifacts that the reader has seen already, in order of appearance: it continues after them. */
  readonly seen: readonly Artifact[];
}

export type AnswerOf<O extends Operation> = O extends UnaryOperation ? Answer<O> : StreamAnswer;
type Handler<O extends Operation> = (core: A2aCore, call: Call, request: RequestOf[O]) => Promise<AnswerOf<O>>;

/** The scope without which an operation does nothing; the extended card asks for a signed-in caller by itself. */
export const SCOPES: { readonly [O in Operation]: Scope | undefined } = {
  SendMessage: 'tasks:send',
  SendStreamingMessage: 'tasks:send',
  GetTask: 'tasks:read',
  ListTasks: 'tasks:read',
  CancelTask: 'tasks:send',
  SubscribeToTask: 'tasks:read',
  CreateTaskPushNotificationConfig: 'tasks:send',
  GetTaskPushNotificationConfig: 'tasks:read',
  ListTaskPushNotificationConfigs: 'tasks:read',
  DeleteTaskPushNotificationConfig: 'tasks:send',
  GetExtendedAgentCard: undefined,
};

/** Page size of ListTasks where the caller names none (specification 1.0 §3.1.4). */
const DEFAULT_PAGE_SIZE = 50;

/**
 * What each operation of A2A does, once for all bindings and dialects.
 *
 * @throws RollcallError whatever the core throws, TASK_NOT_FOUND, UNSUPPORTED_OPERATION,
 *   EXTENSION_SUPPORT_REQUIRED, INVALID_INPUT.
 */
export const HANDLERS: { readonly [O in Operation]: Handler<O> } = {
  async SendMessage(core, call, request) {
    const { sent, ...answering } = await send(core, call, request);
    return { ...answering, result: await sent.answer(call.signal) };
  },

  async SendStreamingMessage(core, call, request) {
    const { sent, ...answering } = await send(core, call, request);
    // A reader that lost its stream says the send again, and where it was: it joins the task, and continues there.
    const after = sent.joined ? cursorOf(call) : undefined;
    if (after === undefined) {
      return { ...answering, items: sent.events(call.signal), watching: false, seen: [] };
    }
    const { principal, signal } = call;
    const items = await core.tasks.subscribe(principal, sent.taskId, { after, signal });
    const { task } = await core.tasks.get(principal, sent.taskId, { historyLength: 0 });
    return { ...answering, items, watching: false, seen: task.artifacts ?? [] };
  },

  async GetTask(core, call, { id, historyLength }) {
    const { row, ...answering } = await findTask(core, call, id);
    const { task } = await core.tasks.get(call.principal, row.id, { historyLength });
    return { ...answering, result: task };
  },

  async ListTasks({ tasks, registry }, call, request) {
    const { principal, agentId, dialect } = call;
    const { pageSize = DEFAULT_PAGE_SIZE, pageToken, status, ...filters } = request;
    const filter = { ...filters, agentId, ...(status === undefined ? {} : { states: [status] }) };
    const [{ items, hasNextPage }, totalSize] = await Promise.all([
      tasks.list(principal, { ...filter, first: pageSize, after: pageToken }).catch(asPageToken),
      tasks.count(principal, filter),
    ]);
    // Tasks outlive their agent; where there are none, an agent that does not exist must not look like an idle one.
    if (totalSize === 0) await registry.agent(principal, agentId);
    const nextPageToken = hasNextPage ? (items.at(-1)?.cursor ?? '') : '';
    const result = { tasks: items.map(({ task }) => task), nextPageToken, pageSize, totalSize };
    return { dialect, ids: {}, result };
  },

  async CancelTask(core, call, { id }) {
    const { row, ...answering } = await findTask(core, call, id);
    return { ...answering, result: await core.tasks.cancel(call.principal, row.id) };
  },

  async SubscribeToTask(core, call, { id }) {
    const { row, ...answering } = await findTask(core, call, id);
    const after = cursorOf(call, row);
    if (isTerminal(row.state) && (after === undefined || after === row.lastSequence)) {
      throw new RollcallError(
        'UNSUPPORTED_OPERATION',
        `Task ${id} is ${row.state} and will not change any more; get it instead of subscribing to it.`,
      );
    }
    const { principal, signal } = call;
    const items = await core.tasks.subscribe(principal, row.id, { after, signal });
    if (after === undefined) return { ...answering, items, watching: true, seen: [] };
    const { task } = await core.tasks.get(principal, row.id, { historyLength: 0 });
    return { ...answering, items, watching: true, seen: task.artifacts ?? [] };
  },

  ...PUSH_HANDLERS,

  async GetExtendedAgentCard({ cards }, { principal, agentId, dialect }) {
    return { dialect, ids: {}, result: await cards.extended(principal, agentId, CARD_FORM_OF[dialect]) };
  },
};

/** The list calls its cursor as GraphQL does. @throws RollcallError about the caller's own name of it. */
function asPageToken(thrown: unknown): never {
  if (thrown instanceof RollcallError && thrown.field === 'after') throw notPageToken();
  throw thrown;
}

async function send(
  { tasks, requiredExtensions }: A2aCore,
  call: Call,
  request: RequestOf['SendMessage'],
): Promise<Answering & { readonly sent: SentTask }> {
  const { principal, agentId, dialect, extensions, idempotencyKey } = call;
  requireScope(principal, 'tasks:send');
  const activated = await requiredExtensions.check(principal, agentId, extensions);
  const named = extensions.length === 0 ? {} : { extensions };
  const sent = await tasks.send(principal, agentId, request, { dialect, idempotencyKey, ...named });
  const { clientIds } = request;
  const ids = clientIds === undefined ? {} : { taskId: clientIds.taskId, contextId: sent.contextId };
  return { sent, dialect, ids, activated };
}

/** @throws RollcallError INVALID_INPUT for what is no cursor of ours. */
function cursorOf({ lastEventId }: Call, row?: { readonly lastSequence: number }): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return undefined;
  if (!/^\d{1,15}$/.test(lastEventId)) {
    throw invalid('Last-Event-ID', 'must be the id of an event of this stream, or be left out.');
  }
  const cursor = Number(lastEventId);
  if (row !== undefined && cursor > row.lastSequence) {
    throw invalid('Last-Event-ID', `is beyond the task's events; the last one is ${row.lastSequence}.`);
  }
  return cursor;
}
