import { newId } from '../database/ids.ts';
import { type ErrorCode, RollcallError, toRollcallError } from '../errors.ts';
import { isTerminal, type StreamEvent, type TaskState } from '../protocol/a2a/model.ts';
import type { TaskFold } from './fold.ts';
import { readIncoming } from './incoming.ts';
import type { Journal, JournalTask } from './log/journal.ts';
import type { Entry } from './model.ts';
import { isResting } from './states.ts';

/** Why a run was stopped from outside. It writes nothing then: whoever stopped it does. */
export type StopReason = 'superseded' | 'lost' | 'canceled' | 'closing';

class Stopped extends Error {
  readonly why: StopReason;

  constructor(why: StopReason) {
    super(why);
    this.why = why;
  }
}

/** What a run drives, and with which right. */
export interface RunOptions {
  readonly task: Pick<JournalTask, 'id' | 'agentId' | 'owner'>;
  readonly fold: TaskFold;
  readonly epoch: number;
  readonly journal: Journal;
  /** Where the task goes back to when the agent refuses this message: a refused answer does not end a conversation. */
  readonly fallback?: TaskState | undefined;
  readonly upstreamTaskId?: string | null;
  readonly upstreamContextId?: string | null;
  /** Tells the agent to stop; for a run that ends because its agent was deleted. */
  readonly cancel?: (upstreamTaskId: string, signal: AbortSignal) => Promise<unknown>;
  /** True for work that another process dispatched: how long the call took is then not known. */
  readonly resumed?: boolean;
  /** Ends the agent's stream, for a send that began before its run. Default: one of its own. */
  readonly stop?: AbortController;
  /** Opens the agent's stream. */
  open(signal: AbortSignal): AsyncIterable<StreamEvent>;
}

/** Appends on their way to the log before a run waits for the oldest: an agent must not outrun the database for long. */
const MAX_PENDING = 64;
const CANCEL_MS = 3_000;

/** Failures by which the agent says that it does not want this message. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_INPUT',
  'CONTENT_TYPE_NOT_SUPPORTED',
  'EXTENSION_SUPPORT_REQUIRED',
  'UNSUPPORTED_OPERATION',
]);

/**
 * One send on its way: reads the agent's events and writes them to the log, in order. The fold runs ahead of the log by
 * what is pending, and equals it when the run rests or is over.
 */
export class Run {
  readonly #options: RunOptions;
  readonly #stop: AbortController;
  #pending: Promise<unknown>[] = [];
  #upstreamTaskId: string | null;
  #upstreamContextId: string | null;
  readonly #dispatched = performance.now();
  #answered: number | undefined;
  #markResting: () => void = () => undefined;
  #markNamed: () => void = () => undefined;

  /** Resolves when the task rests for the first time, or the run is over: then a blocking send answers. */
  readonly resting: Promise<void>;
  /** Resolves when the agent has named its task, or the run is over. */
  readonly named: Promise<void>;
  /** Resolves when the run is over; never rejects. */
  readonly over: Promise<void>;
  /** True when the fold does not stand for the log: somebody else wrote to it, or a write was refused. */
  stale = false;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#stop = options.stop ?? new AbortController();
    this.#upstreamTaskId = options.upstreamTaskId ?? null;
    this.#upstreamContextId = options.upstreamContextId ?? null;
    this.resting = new Promise((resolve) => {
      this.#markResting = resolve;
    });
    this.named = new Promise((resolve) => {
      this.#markNamed = resolve;
    });
    if (this.#upstreamTaskId !== null) this.#markNamed();
    this.over = this.#drive().finally(() => {
      this.#markResting();
      this.#markNamed();
    });
  }

  get fold(): TaskFold {
    return this.#options.fold;
  }

  get agentId(): string {
    return this.#options.task.agentId;
  }

  get upstreamTaskId(): string | null {
    return this.#upstreamTaskId;
  }

  /** Why it was stopped; undefined while it was not. */
  get stopped(): StopReason | undefined {
    const reason: unknown = this.#stop.signal.reason;
    return reason instanceof Stopped ? reason.why : undefined;
  }

  /**
   * How long the agent took, in milliseconds: from the dispatch of the message to the event that put the task to rest.
   * Undefined while there was none, where the agent did not answer, and for work that another process dispatched.
   */
  get tookMs(): number | undefined {
    if (this.#answered === undefined || this.#options.resumed) return undefined;
    return this.#answered - this.#dispatched;
  }

  /** Ends the run where it is, and waits until its last write is done. The agent is not told. */
  async stop(why: StopReason): Promise<void> {
    this.#stop.abort(new Stopped(why));
    await this.over;
  }

  /** Tells the agent to stop, and does not insist. */
  async cancelUpstream(): Promise<void> {
    if (this.#upstreamTaskId === null) return;
    await this.#options.cancel?.(this.#upstreamTaskId, AbortSignal.timeout(CANCEL_MS)).catch(() => undefined);
  }

  async #drive(): Promise<void> {
    const { signal } = this.#stop;
    try {
      for await (const event of this.#options.open(signal)) {
        const arrived = performance.now();
        signal.throwIfAborted();
        await this.#take(event);
        if (isResting(this.fold.state)) {
          this.#answered ??= arrived;
          await this.#flush();
          this.#markResting();
        }
        if (isTerminal(this.fold.state)) break;
      }
      await this.#flush();
    } catch (thrown) {
      await Promise.all(this.#pending);
      if (this.stopped === undefined) await this.#fail(signal.aborted ? signal.reason : thrown);
    }
  }

  async #take(event: StreamEvent): Promise<void> {
    const { entries, upstreamTaskId, upstreamContextId, metadata } = readIncoming(
      event,
      this.fold,
      this.#upstreamTaskId !== null,
    );
    const newTask = upstreamTaskId !== undefined && upstreamTaskId !== this.#upstreamTaskId;
    const newContext = upstreamContextId !== undefined && upstreamContextId !== this.#upstreamContextId;
    if (entries.length === 0 && !newTask && !newContext && metadata === undefined) return;
    if (newTask) {
      this.#upstreamTaskId = upstreamTaskId;
      this.#markNamed();
    }
    if (newContext) this.#upstreamContextId = upstreamContextId;
    if (metadata !== undefined) this.fold.metadata = metadata;
    this.#append(entries, {
      ...(newTask ? { upstreamTaskId } : {}),
      ...(newContext ? { upstreamContextId } : {}),
      ...(metadata === undefined ? {} : { metadata }),
    });
    if (this.#pending.length >= MAX_PENDING) await this.#pending[0];
  }

  #append(
    entries: readonly Entry[],
    change: { upstreamTaskId?: string; upstreamContextId?: string; metadata?: object },
  ): void {
    const { journal, epoch } = this.#options;
    const task = { ...this.#options.task, contextId: this.fold.ids.contextId };
    const at = new Date();
    const base = this.fold.sequence;
    const state = this.fold.state;
    entries.forEach((entry, i) => {
      this.fold.apply({ sequence: base + i + 1, at, entry });
    });
    const write = journal.append({ ...task, state }, { epoch, entries, at, base, ...(change as object) }).then(
      (logged) => {
        if (logged === undefined) return this.#lose();
        const first = logged[0];
        if (first !== undefined && first.sequence !== base + 1) this.stale = true;
      },
      (error: unknown) => this.#notWritten(error),
    );
    this.#pending.push(write);
    void write.then(() => {
      this.#pending = this.#pending.filter((other) => other !== write);
    });
  }

  async #flush(): Promise<void> {
    await Promise.all(this.#pending);
    this.#stop.signal.throwIfAborted();
  }

  /** The log refused us: the task ended elsewhere, or belongs to another replica. */
  #lose(): void {
    this.stale = true;
    this.#stop.abort(new Stopped('lost'));
  }

  /** Without a database the task is left to whoever recovers it; entries that it refuses end the task. */
  #notWritten(error: unknown): void {
    if (toRollcallError(error).code === 'DATABASE_UNAVAILABLE') {
      this.#lose();
      return;
    }
    this.stale = true;
    this.#stop.abort(
      new RollcallError('UPSTREAM_INVALID', "The agent's answer could not be stored: it holds something unstorable.", {
        cause: error,
      }),
    );
  }

  async #fail(thrown: unknown): Promise<void> {
    const { code, message: text } = toRollcallError(thrown);
    const refused = REFUSALS.has(code);
    const state = refused ? (this.#options.fallback ?? 'rejected') : 'failed';
    const message = { messageId: newId(), role: 'agent' as const, parts: [{ text }] };
    this.#append([{ kind: 'status', status: { state, message }, metadata: { errorCode: code } }], {});
    await Promise.all(this.#pending);
  }
}
