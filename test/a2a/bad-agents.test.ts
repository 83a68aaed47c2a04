import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { importAgent, startTestApp } from '../support/app.ts';
import { type BadAgent, type Misbehaviour, startBadAgent } from './bad-agent.ts';
import { eventsOf, post, readEvents, rest, rpc, take, userMessage } from './support.ts';

let app: App;
const agents: BadAgent[] = [];
const bases: string[] = [];

/** An agent of its own for each case: the breaker of one that cannot be reached must not answer for another. */
async function badAgent(
  kind: 'streaming' | 'answering',
  how: Misbehaviour,
): Promise<{ agent: BadAgent; base: string }> {
  const agent = await startBadAgent(kind === 'streaming');
  agents.push(agent);
  agent.behave(how);
  const base = `${app.addresses.url}a2a/${await importAgent(app.addresses.url, agent.url)}`;
  bases.push(base);
  return { agent, base };
}

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(async () => {
  await app?.close();
  for (const agent of agents) await agent.close();
});

const EARLY_TEXT = { role: 'user', parts: [{ type: 'text', text: 'go' }] };
const oldMessage = () => ({
  kind: 'message',
  messageId: crypto.randomUUID(),
  role: 'user',
  parts: [{ kind: 'text', text: 'go' }],
});
const open = (base: string, path: string, body: unknown) =>
  fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** The task that a send ends with, however the client sends; `state` in one word for all dialects. */
interface Ended {
  readonly state: string;
  readonly text: string;
}
const word = (state: string): string => state.replace('TASK_STATE_', '').toLowerCase().replaceAll('_', '-');
const endOf = (status: any): Ended => ({
  state: word(status.state),
  text: JSON.stringify(status.message?.parts ?? ''),
});
const lastStatus = (events: readonly any[]): any =>
  events.flatMap((it) => it.status ?? it.statusUpdate?.status ?? it.task?.status ?? []).at(-1);

/** Every way in which a client sends: dialect, binding, waiting or streaming. */
const SENDERS: readonly { readonly name: string; readonly send: (base: string) => Promise<Ended> }[] = [
  {
    name: 'SendMessage in JSON-RPC',
    send: async (base) =>
      endOf((await post(base, rpc('SendMessage', { message: userMessage('go') }))).body['result'].task.status),
  },
  {
    name: 'SendStreamingMessage in JSON-RPC',
    send: async (base) =>
      endOf(
        lastStatus(
          (await eventsOf(await open(base, '', rpc('SendStreamingMessage', { message: userMessage('go') })))).map(
            ({ data: { result } }) => result,
          ),
        ),
      ),
  },
  {
    name: 'message:send in HTTP+JSON',
    send: async (base) =>
      endOf((await post(`${base}/message:send`, { message: userMessage('go') })).body['task'].status),
  },
  {
    name: 'message:stream in HTTP+JSON',
    send: async (base) =>
      endOf(
        lastStatus(
          (await eventsOf(await open(base, '/message:stream', { message: userMessage('go') }))).map((it) => it.data),
        ),
      ),
  },
  {
    name: 'message/send of 0.3',
    send: async (base) =>
      endOf((await post(base, rpc('message/send', { message: oldMessage() }))).body['result'].status),
  },
  {
    name: 'message/stream of 0.3',
    send: async (base) =>
      endOf(
        lastStatus(
          (await eventsOf(await open(base, '', rpc('message/stream', { message: oldMessage() })))).map(
            ({ data: { result } }) => result,
          ),
        ),
      ),
  },
  {
    name: 'tasks/send of the early era',
    send: async (base) =>
      endOf((await post(`${base}/tasks/send`, { id: crypto.randomUUID(), message: EARLY_TEXT })).body['status']),
  },
  {
    name: 'tasks/sendSubscribe of the early era',
    send: async (base) =>
      endOf(
        lastStatus(
          (
            await eventsOf(await open(base, '/tasks/sendSubscribe', { id: crypto.randomUUID(), message: EARLY_TEXT }))
          ).map((it) => it.data),
        ),
      ),
  },
];

const refuse =
  (code: number, message: string): Misbehaviour =>
  ({ response, id }) =>
    void response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } }));

interface Case {
  readonly name: string;
  readonly agent: 'streaming' | 'answering';
  readonly how: Misbehaviour;
  readonly state: string;
  /** In what the caller is told. */
  readonly says: RegExp;
}

/** Streams what it says to a send, and shows its task in `state` to whoever asks for it. */
const asked =
  (state: string, stream: Misbehaviour): Misbehaviour =>
  (call) => {
    if (call.method === 'GetTask') call.answer(call.task(state));
    else {
      call.open();
      stream(call);
    }
  };

const CASES: readonly Case[] = [
  {
    name: 'answers an error page',
    agent: 'answering',
    how: ({ response }) => void response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>oops</h1>'),
    state: 'failed',
    says: /"Agent bad-answering\S*: http:\S+ answered HTTP 500 /,
  },
  {
    name: 'answers no JSON',
    agent: 'answering',
    how: ({ response }) => void response.setHeader('content-type', 'application/json').end('{"jsonrpc": "2.0", '),
    state: 'failed',
    says: /"Agent bad-answering\S*: .* not JSON/,
  },
  {
    name: 'answers JSON that is no answer',
    agent: 'answering',
    how: ({ response }) => void response.setHeader('content-type', 'application/json').end('[1, 2]'),
    state: 'failed',
    says: /answer/,
  },
  {
    name: 'answers with a task that is none',
    agent: 'answering',
    how: (call) => call.answer({ task: { id: 7, status: 'done' } }),
    state: 'failed',
    says: /not valid/,
  },
  {
    name: 'cuts the connection',
    agent: 'answering',
    how: ({ response }) => void response.destroy(),
    state: 'failed',
    says: /./,
  },
  {
    name: 'refuses the message',
    agent: 'answering',
    how: refuse(-32602, 'not like this'),
    state: 'rejected',
    says: /not like this/,
  },
  { name: 'fails', agent: 'answering', how: refuse(-32603, 'I broke'), state: 'failed', says: /I broke/ },
  {
    name: 'refuses to stream',
    agent: 'streaming',
    how: refuse(-32602, 'no streams'),
    state: 'rejected',
    says: /no streams/,
  },
  {
    name: 'streams garbage',
    agent: 'streaming',
    how: (call) => {
      call.open();
      call.response.end('data: {"jsonrpc": \n\ndata: what?\n\n');
    },
    state: 'failed',
    says: /JSON/,
  },
  {
    name: 'streams nothing and ends',
    agent: 'streaming',
    how: (call) => {
      call.open();
      call.response.end();
    },
    state: 'failed',
    says: /"Agent bad-streaming\S*: its stream ended without a task or a message/,
  },
  {
    name: 'streams an event that is none',
    agent: 'streaming',
    how: (call) => {
      call.open();
      call.say({ task: call.task('WORKING'), message: {} });
      call.response.end();
    },
    state: 'failed',
    says: /not valid/,
  },
  {
    name: 'breaks its stream half-way, and goes on working',
    agent: 'streaming',
    how: asked('COMPLETED', (call) => {
      call.say({ task: call.task('WORKING') });
      call.chunk('a');
      setImmediate(() => call.response.destroy());
    }),
    state: 'completed',
    says: /./,
  },
  {
    name: 'ends its stream half-way, and fails later',
    agent: 'streaming',
    how: asked('FAILED', (call) => {
      call.say({ task: call.task('WORKING') });
      call.response.end();
    }),
    state: 'failed',
    says: /./,
  },
  {
    name: 'goes on after the end',
    agent: 'streaming',
    how: asked('COMPLETED', (call) => {
      call.say({ task: call.task('WORKING') });
      call.status('COMPLETED');
      call.status('WORKING');
      call.chunk('too late');
      call.status('FAILED');
      call.response.end();
    }),
    state: 'completed',
    says: /./,
  },
  {
    name: 'says what only a later version knows',
    agent: 'streaming',
    how: asked('COMPLETED', (call) => {
      call.say({ task: call.task('DANCING') });
      call.say({ weird: {} });
      call.status('DANCING');
      call.status('COMPLETED');
      call.response.end();
    }),
    state: 'completed',
    says: /./,
  },
  {
    name: 'answers with a state that only a later version knows',
    agent: 'answering',
    how: (call) => {
      if (call.method === 'GetTask') call.answer(call.task('COMPLETED'));
      else call.answer({ task: call.task('DANCING'), weird: {} });
    },
    state: 'completed',
    says: /./,
  },
  {
    name: 'streams only what nobody knows',
    agent: 'streaming',
    how: (call) => {
      call.open();
      call.say({ weird: {} });
      call.response.end();
    },
    state: 'failed',
    says: /without a task or a message/,
  },
  {
    name: 'says things in another order',
    agent: 'streaming',
    how: asked('COMPLETED', (call) => {
      call.chunk('first');
      call.status('WORKING');
      call.status('SUBMITTED');
      call.say({ task: call.task('SUBMITTED') });
      call.status('COMPLETED');
      call.response.end();
    }),
    state: 'completed',
    says: /./,
  },
];

describe.each(CASES)('an agent that $name', ({ agent, how, state, says }) => {
  let base: string;
  beforeAll(async () => {
    ({ base } = await badAgent(agent, how));
  });

  test.each(SENDERS)('$name', async ({ name, send }) => {
    const ended = await send(base);
    // The early era has no word for a refusal.
    const expected = state === 'rejected' && name.includes('early') ? 'failed' : state;
    expect(ended.state).toBe(expected);
    expect(ended.text).toMatch(says);
    // Nothing of ours, and nothing of theirs that is not for the caller.
    expect(ended.text).not.toMatch(/at \w+ \(|node:internal|<h1>/);
  });
});

const tasksOf = async (base: string) =>
  (await post(base, rpc('ListTasks', { pageSize: 100, includeArtifacts: true }))).body['result'].tasks as any[];

test('what an agent says after the end changes nothing', async () => {
  const { how } = CASES.find(({ name }) => name === 'goes on after the end')!;
  const { base } = await badAgent('streaming', how);
  const { body } = await post(base, rpc('SendMessage', { message: userMessage('go') }));
  const { id } = body['result'].task;
  const { result } = (await post(base, rpc('GetTask', { id }))).body as any;
  expect(result.status.state).toBe('TASK_STATE_COMPLETED');
  expect(result).not.toHaveProperty('artifacts');
});

test('what an agent says of another task in our stream is not stored with ours, and does not end it', async () => {
  const { base } = await badAgent('streaming', (call) => {
    const taskId = 'somebody-else';
    call.open();
    call.say({ task: call.task('WORKING') });
    call.say({ statusUpdate: { taskId, status: { state: 'TASK_STATE_COMPLETED' } } });
    call.say({ artifactUpdate: { taskId, artifact: { artifactId: 'theirs', parts: [{ text: 'theirs' }] } } });
    call.chunk('ours');
    call.status('COMPLETED');
    call.response.end();
  });
  const { body } = await post(base, rpc('SendMessage', { message: userMessage('go') }));
  const { status, artifacts } = body['result'].task;
  expect(status.state).toBe('TASK_STATE_COMPLETED');
  expect(artifacts).toEqual([{ artifactId: 'out', parts: [{ text: 'ours' }] }]);
});

test('no task is left at work', async () => {
  expect(bases.length).toBeGreaterThan(CASES.length);
  for (const base of bases) {
    const states = new Set((await tasksOf(base)).map((it) => it.status.state));
    expect([...states].filter((it) => /WORKING|SUBMITTED/.test(it))).toEqual([]);
  }
});

describe('an agent that never ends', () => {
  const streaming =
    (count = Number.POSITIVE_INFINITY): Misbehaviour =>
    (call) => {
      if (call.method === 'CancelTask') return call.answer(call.task('CANCELED'));
      if (call.method === 'GetTask') return call.answer(call.task('WORKING'));
      call.open();
      call.say({ task: call.task('WORKING') });
      let said = 0;
      const on = (): void => {
        if (call.response.destroyed || said >= count) return;
        call.chunk(`${said++} ${'x'.repeat(200)}`);
        setTimeout(on, 1);
      };
      on();
    };

  test('can be watched for as long as one likes, and is cancelled; its connection is closed', async () => {
    const { agent, base } = await badAgent('streaming', streaming());
    const events = readEvents(await open(base, '', rpc('SendStreamingMessage', { message: userMessage('go') })));
    const [first] = await take(events, 50);
    const { id } = first!.data['result'].task;
    const { body } = await post(base, rpc('CancelTask', { id }));
    expect(body['result'].status.state).toBe('TASK_STATE_CANCELED');
    const last = (await rest(events)).at(-1)!;
    expect(last.data['result'].statusUpdate.status.state).toBe('TASK_STATE_CANCELED');
    expect(agent.methods).toContain('CancelTask');
    await expect.poll(() => agent.connections()).toBeLessThanOrEqual(1);
  });

  test('and never answers: the caller may leave, the task can be cancelled, and the connection is closed', async () => {
    let called: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      called = resolve;
    });
    let hungUp: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      hungUp = resolve;
    });
    const { base } = await badAgent('answering', ({ response }) => {
      response.on('close', hungUp);
      called();
    });
    const configuration = { returnImmediately: true };
    const { body } = await post(base, rpc('SendMessage', { message: userMessage('go'), configuration }));
    const { id } = body['result'].task;
    await reached;
    const leaving = new AbortController();
    const watching = await fetch(base, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(rpc('SubscribeToTask', { id })),
      signal: leaving.signal,
    });
    const events = readEvents(watching);
    await take(events, 1);
    leaving.abort();
    await expect(events.next()).rejects.toThrow(/abort/);
    const cancelled = await post(base, rpc('CancelTask', { id }));
    expect(cancelled.body['result'].status.state).toBe('TASK_STATE_CANCELED');
    await closed;
  });
});
