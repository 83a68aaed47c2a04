import type { Principal } from '../auth/principal.ts';
import type { Query } from '../database/drivers.ts';
import { newId } from '../database/ids.ts';
import { invalid, RollcallError } from '../errors.ts';
import { isTerminal, type Message } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import type { ReachableAgent } from '../registry/registry.ts';
import type { AgentExecutor } from '../upstream/executor.ts';
import type { Executors } from '../upstream/executors.ts';
import { taskNotFound, visibleTask } from './access.ts';
import type { CalledAgents } from './agents.ts';
import { claimTask } from './claims.ts';
import type { Feed } from './feed.ts';
import { TaskFold } from './fold.ts';
import type { Journal } from './journal.ts';
import type { Entry, TaskRow } from './model.ts';
import { foldOf, upstreamContextOf } from './reads.ts';
import { Run } from './run.ts';
import type { Runs } from './runs.ts';
import { type SentTask, sentTask } from './sent-task.ts';

/** What a send may be given besides the request. */
export interface SendOptions {
  /** The dialect it came in; decides how later calls about the task are answered. Default: 1.0. */
  readonly dialect?: string;
  /** A2A extensions that the caller named. */
  readonly extensions?: readonly string[];
}

/** What sends share. */
export interface SenderParts {
  readonly query: Query;
  readonly agents: CalledAgents;
  readonly executors: Executors;
  readonly journal: Journal;
  readonly feed: Feed;
  readonly runs: Runs;
  readonly replicaId: string;
  readonly closing: AbortSignal;
}

/** A send whose agent was found. */
interface Send {
  readonly principal: Principal;
  readonly reachable: ReachableAgent;
  readonly executor: AgentExecutor;
  readonly request: SendRequest;
  readonly options: SendOptions;
}

/** PostgreSQL's text holds no NUL; ids beyond this length are no ids. */
const MAX_ID = 255;

function checkId(field: string, value: string | undefined): void {
  if (value === undefined) return;
  if (value === '' || value.length > MAX_ID || value.includes('\u0000') || !value.isWellFormed()) {
    throw invalid(field, `must be 1 to ${MAX_ID} characters, without NUL`);
  }
}

function checkMessage(message: Message): void {
  checkId('message.messageId', message.messageId);
  checkId('message.contextId', message.contextId);
  if (message.role !== 'user')
    throw invalid('message.role', 'must be user: agents do not send messages to agents this way');
  if (message.parts.length === 0) throw invalid('message.parts', 'must have at least one part');
}

/** What goes to the agent: its own ids instead of ours, and no webhook: Rollcall delivers those itself. */
function toUpstream(request: SendRequest, taskId: string | null, contextId: string | null): SendRequest {
  const { taskId: _, contextId: __, ...message } = request.message;
  const { taskPushNotificationConfig: ___, ...configuration } = request.configuration ?? {};
  return {
    message: {
      ...message,
      ...(taskId === null ? {} : { taskId }),
      ...(contextId === null ? {} : { contextId }),
    },
    ...(Object.keys(configuration).length === 0 ? {} : { configuration }),
    ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
  };
}

/** Takes messages in: stores first, then sends. */
export class Sender {
  readonly #parts: SenderParts;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  async send(principal: Principal, agentId: string, request: SendRequest, options: SendOptions): Promise<SentTask> {
    const { agents, executors, closing } = this.#parts;
    if (closing.aborted) throw new RollcallError('SHUTTING_DOWN', 'The server is stopping and takes no new work.');
    checkMessage(request.message);
    const reachable = await agents.forSender(principal, agentId);
    const send = { principal, reachable, executor: executors.forAgent(reachable.agent), request, options };
    const { taskId } = request.message;
    return taskId === undefined ? this.#begin(send) : this.#parts.runs.inTurn(taskId, () => this.#goOn(send, taskId));
  }

  async #begin({ principal, reachable, executor, request, options }: Send): Promise<SentTask> {
    const { query, journal, replicaId } = this.#parts;
    const { message } = request;
    const { agent } = reachable;
    const ids = { id: newId(), contextId: message.contextId ?? newId() };
    const upstreamContextId =
      message.contextId === undefined
        ? null
        : await upstreamContextOf(query, principal.subject, agent.id, message.contextId);
    const { taskId: _, contextId: __, ...stored } = message;
    const entry: Entry = {
      kind: 'created',
      message: stored,
      ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
    };
    const at = new Date();
    const task = { id: ids.id, agentId: agent.id, owner: principal.subject };
    await journal.accept({
      ...task,
      contextId: ids.contextId,
      dialect: options.dialect ?? '1.0',
      clientTaskId: request.clientIds?.taskId ?? null,
      joinKey: null,
      idempotencyKey: null,
      entry,
      at,
      replica: replicaId,
    });
    const fold = new TaskFold(ids);
    fold.apply({ sequence: 1, at, entry });
    const start = { task: fold.snapshot(), sequence: 1, state: fold.state, at };
    const wire = toUpstream(request, null, upstreamContextId);
    const run = new Run({
      task,
      fold,
      epoch: 1,
      journal,
      open: (signal) => executor.send(reachable, wire, { signal, ...extensionsOf(options) }),
    });
    return this.#sent(run, start, request);
  }

  async #goOn({ principal, reachable, executor, request, options }: Send, taskId: string): Promise<SentTask> {
    const { query, journal, replicaId, runs } = this.#parts;
    const { message } = request;
    const seen = await visibleTask(query, principal, taskId);
    // Seeing everyone's tasks does not mean speaking for them.
    if (seen.owner !== principal.subject || seen.agentId !== reachable.agent.id) throw taskNotFound(taskId);
    if (message.contextId !== undefined && message.contextId !== seen.contextId) {
      throw invalid(
        'message.contextId',
        `task ${taskId} belongs to another context; leave the context out, or give the task's own`,
      );
    }
    if (isTerminal(seen.state)) throw ended(seen);
    if (seen.upstreamTaskId === null) {
      throw new RollcallError(
        'FAILED_PRECONDITION',
        'The agent has not taken up this task yet; send the message again in a moment.',
      );
    }
    await runs.of(seen.id)?.stop('superseded');
    const row = await claimTask(query, seen.id, replicaId);
    if (row === undefined) throw ended(seen);
    const fold = await foldOf(query, row);
    const before = fold.state;
    const task = { id: row.id, agentId: row.agentId, owner: row.owner };
    const { taskId: _, contextId: __, ...stored } = message;
    // In this order, so that the question comes before the answer in the history.
    const entries: Entry[] = [
      { kind: 'status', status: { state: 'working' } },
      { kind: 'message', message: stored },
    ];
    const logged = await journal.append({ ...task, state: before }, { epoch: row.leaseEpoch, entries, at: new Date() });
    if (logged === undefined) throw ended(row);
    for (const entry of logged) fold.apply(entry);
    const start = { task: fold.snapshot(), sequence: fold.sequence, state: fold.state, at: logged.at(-1)!.at };
    const wire = toUpstream(request, row.upstreamTaskId, row.upstreamContextId);
    const run = new Run({
      task,
      fold,
      epoch: row.leaseEpoch,
      journal,
      fallback: before === 'working' || before === 'submitted' ? undefined : before,
      upstreamTaskId: row.upstreamTaskId,
      upstreamContextId: row.upstreamContextId,
      open: (signal) => executor.send(reachable, wire, { signal, ...extensionsOf(options) }),
    });
    return this.#sent(run, start, request);
  }

  #sent(run: Run, start: Parameters<typeof sentTask>[0]['start'], request: SendRequest): SentTask {
    const { query, feed, runs, closing } = this.#parts;
    runs.add(run);
    return sentTask({
      query,
      feed,
      ids: run.fold.ids,
      configuration: request.configuration,
      start,
      run,
      joined: false,
      closing,
    });
  }
}

const extensionsOf = (options: SendOptions) =>
  options.extensions === undefined ? {} : { extensions: options.extensions };

const ended = (task: Pick<TaskRow, 'id' | 'state'>): RollcallError =>
  new RollcallError(
    'UNSUPPORTED_OPERATION',
    `Task ${task.id} has ended and takes no more messages; send one without taskId to begin another, with the same contextId to stay in the conversation.`,
  );
