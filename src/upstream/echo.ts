import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RollcallError } from '../errors.ts';
import {
  isTerminal,
  type Message,
  type Part,
  type StreamEvent,
  type Task,
  type TaskState,
} from '../protocol/a2a/model.ts';
import type { AgentExecutor } from './executor.ts';

/** Longest that "slow:" may be asked to take, in seconds. */
const MAX_SLOW_SECONDS = 3_600;
/** Tasks that are remembered for `get`; the oldest go first. */
const MAX_TASKS = 10_000;

interface EchoTask {
  task: Task;
  /** Cancels what is still to come. */
  readonly stop: AbortController;
}

type Script = (turn: Turn, rest: string, message: Message) => AsyncGenerator<StreamEvent>;

/** What a script says, as events of its task. */
class Turn {
  readonly #entry: EchoTask;

  constructor(entry: EchoTask) {
    this.#entry = entry;
  }

  get signal(): AbortSignal {
    return this.#entry.stop.signal;
  }

  status(state: TaskState, text?: string): StreamEvent {
    const { task } = this.#entry;
    const ids = { taskId: task.id, ...(task.contextId === undefined ? {} : { contextId: task.contextId }) };
    const message: Message | undefined =
      text === undefined ? undefined : { messageId: randomUUID(), role: 'agent', parts: [{ text }], ...ids };
    const status = { state, timestamp: new Date().toISOString(), ...(message === undefined ? {} : { message }) };
    this.#entry.task = { ...task, status };
    return { statusUpdate: { ...ids, status } };
  }

  artifact(
    artifactId: string,
    parts: readonly Part[],
    more: { append?: boolean; lastChunk?: boolean } = {},
  ): StreamEvent {
    const { task } = this.#entry;
    const others = (task.artifacts ?? []).filter((it) => it.artifactId !== artifactId);
    const before = more.append ? (task.artifacts?.find((it) => it.artifactId === artifactId)?.parts ?? []) : [];
    this.#entry.task = { ...task, artifacts: [...others, { artifactId, parts: [...before, ...parts] }] };
    const ids = { taskId: task.id, ...(task.contextId === undefined ? {} : { contextId: task.contextId }) };
    return { artifactUpdate: { ...ids, artifact: { artifactId, name: artifactId, parts }, ...more } };
  }
}

/** What the first word of the text makes the agent do. Anything else is echoed as it is. */
const SCRIPTS: Readonly<Record<string, Script>> = {
  async *stream(turn, rest) {
    yield turn.status('working');
    const words = rest.split(/\s+/).filter((word) => word !== '');
    for (const [i, word] of words.entries()) {
      yield turn.artifact('stream', [{ text: word }], { append: i > 0, lastChunk: i === words.length - 1 });
    }
    yield turn.status('completed');
  },
  async *artifact(turn, rest) {
    yield turn.status('working');
    yield turn.artifact('artifact', [{ text: rest }]);
    yield turn.status('completed');
  },
  async *ask(turn, rest) {
    yield turn.status('input-required', rest);
  },
  async *fail(turn, rest) {
    yield turn.status('failed', rest || 'Failed, as you asked.');
  },
  async *slow(turn, rest) {
    const [, seconds = '1', text = ''] = /^(\d+(?:\.\d+)?)?\s*(.*)$/s.exec(rest) ?? [];
    yield turn.status('working');
    await delay(Math.min(Number(seconds), MAX_SLOW_SECONDS) * 1_000, undefined, { signal: turn.signal });
    yield turn.artifact('echo', [{ text }]);
    yield turn.status('completed');
  },
};

async function* echo(turn: Turn, message: Message): AsyncGenerator<StreamEvent> {
  yield turn.artifact('echo', message.parts);
  yield turn.status('completed');
}

const textOf = (message: Message): string => message.parts.map((part) => part.text ?? '').join('');

/**
 * The bundled agent: it answers with what it was sent. The text may begin with a word that makes it do something else:
 * "stream: a b c" (one artifact in chunks), "artifact: …", "ask: …" (asks, and goes on with the answer), "fail: …",
 * "slow: N …" (N seconds), "message: …" (a message instead of a task). It keeps its tasks in memory.
 */
export function createEchoExecutor(): AgentExecutor {
  const tasks = new Map<string, EchoTask>();

  const find = (id: string): EchoTask => {
    const entry = tasks.get(id);
    if (entry === undefined)
      throw new RollcallError('TASK_NOT_FOUND', 'The echo agent does not know this task any more.');
    return entry;
  };

  const open = (message: Message): EchoTask => {
    if (message.taskId !== undefined) return find(message.taskId);
    const contextId = message.contextId ?? randomUUID();
    const task: Task = { id: randomUUID(), contextId, status: { state: 'submitted' } };
    const entry: EchoTask = { task, stop: new AbortController() };
    if (tasks.size >= MAX_TASKS) tasks.delete(tasks.keys().next().value as string);
    tasks.set(task.id, entry);
    return entry;
  };

  const until = async function* (events: AsyncGenerator<StreamEvent>, entry: EchoTask, signal: AbortSignal) {
    const stop = (): void => entry.stop.abort();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const event of events) {
        signal.throwIfAborted();
        yield event;
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!entry.stop.signal.aborted) throw error;
      // Cancelled meanwhile: the last word is the task as it now is.
      yield { task: entry.task };
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };

  return {
    async *send(_target, { message }, { signal }) {
      const text = textOf(message);
      const [, word = '', rest = ''] = /^\s*([a-z]+):\s*(.*)$/is.exec(text) ?? [];
      if (word.toLowerCase() === 'message' && message.taskId === undefined) {
        yield { message: { messageId: randomUUID(), role: 'agent', parts: [{ text: rest }] } };
        return;
      }
      const entry = open(message);
      if (isTerminal(entry.task.status.state)) {
        throw new RollcallError('UNSUPPORTED_OPERATION', 'The task is finished; send a message without its id.');
      }
      if (message.taskId !== undefined) entry.task = { ...entry.task, status: { state: 'working' } };
      yield { task: entry.task };
      const turn = new Turn(entry);
      const script = SCRIPTS[word.toLowerCase()];
      yield* until(script === undefined ? echo(turn, message) : script(turn, rest, message), entry, signal);
    },
    async *resubscribe(_target, id) {
      const entry = find(id);
      yield { task: entry.task };
    },
    get: async (_target, id) => find(id).task,
    async cancel(_target, id) {
      const entry = find(id);
      if (isTerminal(entry.task.status.state)) {
        throw new RollcallError('TASK_NOT_CANCELABLE', 'The task is finished already.');
      }
      entry.task = { ...entry.task, status: { state: 'canceled', timestamp: new Date().toISOString() } };
      entry.stop.abort();
      return entry.task;
    },
  };
}
