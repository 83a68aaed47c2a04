import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { taggedExtras, taggedPart } from '../parts.ts';
import { type AgentKind, listen, type ReceivedBody } from './agent.ts';
import { Behaviour, type Chunk, type Voice } from './behaviour.ts';

/** The objects of the early era (A2A v0.1.0), as far as this agent makes them. */
interface EarlyPart {
  readonly type?: string;
  readonly text?: string;
}
interface EarlyMessage {
  readonly role: 'user' | 'agent';
  readonly parts: readonly EarlyPart[];
}
interface EarlyTask {
  readonly id: string;
  readonly sessionId?: string;
  status: { readonly state: string; readonly message?: EarlyMessage; readonly timestamp: string };
  artifacts: { readonly index: number; readonly name: string; readonly parts: EarlyPart[] }[];
  history: EarlyMessage[];
}
interface EarlyRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params: { readonly id: string; readonly sessionId?: string; readonly message?: EarlyMessage };
}

const FINAL = new Set(['completed', 'failed', 'canceled', 'input-required']);
const textOf = ({ parts }: EarlyMessage): string => parts.map(({ text = '' }) => text).join('');

/** An agent of the early era, in memory: one endpoint, tasks under the ids that its clients choose. */
class EarlyAgent {
  readonly #behaviour: Behaviour;
  readonly #tasks = new Map<string, EarlyTask>();
  readonly #watchers = new Map<string, Set<(event: object) => void>>();

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
  }

  /** Answers a request: an object at once, or a stream of events. */
  async handle({ id, method, params }: EarlyRequest, response: ServerResponse): Promise<void> {
    const answer = (body: object): void =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
    const task = this.#tasks.get(params.id);
    if (method === 'tasks/send' && params.message !== undefined) {
      await this.#work(params, params.message);
      return answer({ result: this.#tasks.get(params.id) });
    }
    if (method === 'tasks/sendSubscribe' && params.message !== undefined) {
      this.#stream(id, params.id, response);
      return this.#work(params, params.message);
    }
    if (task === undefined) return answer({ error: { code: -32001, message: 'Task not found' } });
    if (method === 'tasks/get') return answer({ result: task });
    if (method === 'tasks/resubscribe') return this.#stream(id, params.id, response);
    if (method !== 'tasks/cancel') return answer({ error: { code: -32601, message: 'Method not found' } });
    if (FINAL.has(task.status.state) && task.status.state !== 'input-required') {
      return answer({ error: { code: -32002, message: 'Task cannot be canceled' } });
    }
    // What waits says itself that it ends; what asks does not run.
    this.#behaviour.stop(task.id);
    if (task.status.state === 'input-required') this.#status(task, 'canceled');
    await this.#ended(task);
    answer({ result: task });
  }

  async #work({ id, sessionId }: EarlyRequest['params'], message: EarlyMessage): Promise<void> {
    const known = this.#tasks.get(id);
    const task: EarlyTask = known ?? {
      id,
      ...(sessionId === undefined ? {} : { sessionId }),
      status: { state: 'submitted', timestamp: new Date().toISOString() },
      artifacts: [],
      history: [],
    };
    this.#tasks.set(id, task);
    task.history.push(message);
    const voice: Voice = {
      begin: () => this.#status(task, 'submitted'),
      working: () => this.#status(task, 'working'),
      artifact: (text, chunk) => this.#artifact(task, text, chunk),
      completed: (said) => this.#status(task, 'completed', said),
      asks: (question) => this.#status(task, 'input-required', question),
      canceled: () => this.#status(task, 'canceled'),
    };
    const extras = taggedExtras(message.parts);
    const turn = { text: textOf(message), extras, taskId: id, contextId: sessionId ?? '', messageId: undefined };
    await this.#behaviour.run({ ...turn, continues: known !== undefined }, voice);
  }

  #status(task: EarlyTask, state: string, said?: string): void {
    const message: EarlyMessage = { role: 'agent', parts: [{ type: 'text', text: said ?? '' }] };
    const now = { state, timestamp: new Date().toISOString() };
    task.status = said === undefined ? now : { ...now, message };
    this.#tell(task.id, { id: task.id, status: task.status, final: FINAL.has(state) });
  }

  #artifact(task: EarlyTask, text: string, { append, last, extras = [] }: Chunk = {}): void {
    const parts: EarlyPart[] = [{ type: 'text', text }, ...extras.map((extra) => taggedPart('type', extra))];
    const [known] = task.artifacts;
    if (append && known !== undefined) known.parts.push(...parts);
    else task.artifacts = [{ index: 0, name: 'out', parts: [...parts] }];
    const flags = { ...(append === undefined ? {} : { append }), ...(last === undefined ? {} : { lastChunk: last }) };
    this.#tell(task.id, { id: task.id, artifact: { index: 0, name: 'out', parts, ...flags } });
  }

  #tell(id: string, event: object): void {
    for (const watcher of this.#watchers.get(id) ?? []) watcher(event);
  }

  #watch(id: string, watcher: (event: object) => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(watcher));
    return () => watchers.delete(watcher);
  }

  /** The events from now on, as the era has it: there is no task at the beginning. */
  #stream(rpcId: string | number, id: string, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const stop = this.#watch(id, (event) => {
      response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: rpcId, result: event })}\n\n`);
      if ('final' in event && event.final === true) response.end();
    });
    response.on('close', stop);
  }

  async #ended(task: EarlyTask): Promise<void> {
    if (FINAL.has(task.status.state)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.#watch(task.id, () => FINAL.has(task.status.state) && resolve());
    await promise;
    stop();
  }
}

const cardOf = (url: string): object => ({
  name: 'Agent of the early era',
  description: 'Speaks tasks/send.',
  url: `${url}rpc`,
  version: '1.0.0',
  capabilities: { streaming: true, pushNotifications: false, stateTransitionHistory: false },
  authentication: { schemes: [] },
  defaultInputModes: ['text'],
  defaultOutputModes: ['text'],
  skills: [{ id: 'echo', name: 'Echo', description: 'Says it again.', tags: ['test'] }],
});

export const early: AgentKind = {
  name: 'early rpc',
  speaks: { binding: 'JSONRPC', protocolVersion: '0.1', dialect: 'early' },
  schema: 'early',
  messageIds: false,
  names: true,
  async start() {
    const behaviour = new Behaviour();
    const agent = new EarlyAgent(behaviour);
    const received: ReceivedBody[] = [];
    const server = await listen((url) => async (request: IncomingMessage, response) => {
      if (request.url === '/.well-known/agent.json') {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(cardOf(url)));
      } else if (request.url === '/rpc' && request.method === 'POST') {
        const body = await json(request);
        received.push({ path: '/rpc', body });
        await agent.handle(body as EarlyRequest, response);
      } else response.writeHead(404).end();
    });
    return { ...server, endpoint: `${server.url}rpc`, behaviour, received };
  },
};
