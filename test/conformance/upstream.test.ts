import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { StreamEvent } from '../../src/protocol/a2a/model.ts';
import type { SendRequest } from '../../src/protocol/a2a/requests.ts';
import type { AgentExecutor, UpstreamTarget } from '../../src/upstream/executor.ts';
import { schemasPresent } from '../support/published-schemas.ts';
import { SOON } from '../support/soon.ts';
import { call, executors, target } from '../upstream/executor-support.ts';
import type { AgentKind, RunningAgent } from './agents/agent.ts';
import { CHUNKS, DONE, QUESTION } from './agents/behaviour.ts';
import { AGENT_KINDS } from './agents/kinds.ts';
import { Published } from './published.ts';

/** What Rollcall asks of agents beyond what the matrix needs: without streams, and after a stream was lost. */

const agents = new Map<AgentKind, RunningAgent>();

beforeAll(async () => {
  for (const kind of AGENT_KINDS) agents.set(kind, await kind.start());
});
afterAll(async () => {
  for (const agent of agents.values()) await agent.close();
});

const textOf = (parts: readonly { readonly text?: string }[] = []): string =>
  parts.map(({ text = '' }) => text).join('');
const sendOf = (text: string, more: object = {}, configuration: SendRequest['configuration'] = {}): SendRequest => ({
  message: { messageId: randomUUID(), role: 'user', parts: [{ text }], ...more },
  configuration,
});

describe.each(AGENT_KINDS)('an agent $name', (kind) => {
  let agent: RunningAgent;
  let executor: AgentExecutor;
  const to = (streaming: boolean): UpstreamTarget =>
    target({ url: agent.url, streaming, interfaces: [{ url: agent.endpoint, ...kind.speaks }] });

  beforeEach(() => {
    agent = agents.get(kind)!;
    executor = executors().forAgent(to(true).agent);
  });

  const collect = async (events: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> => {
    const collected: StreamEvent[] = [];
    for await (const event of events) collected.push(event);
    return collected;
  };
  const lastTask = async (events: AsyncIterable<StreamEvent>) => (await collect(events)).at(-1)?.task;

  /** A paced task that waits after its first chunk; `events` goes on with what follows. */
  async function begin(key: string) {
    const events = executor.send(to(true), sendOf(`paced ${key}`), call())[Symbol.asyncIterator]();
    while ((await events.next()).value?.artifactUpdate === undefined);
    await agent.behaviour.reached(key);
    const { taskId } = agent.behaviour.turnsOf(key)[0]!;
    return { taskId, drain: () => collect({ [Symbol.asyncIterator]: () => events }) };
  }

  test.each([true, false])('hears of a message no sooner than it may go out, streaming: %s', async (streaming) => {
    const [kept, dropped, other] = [randomUUID(), randomUUID(), randomUUID()];
    let release = (): void => undefined;
    const after = new Promise<void>((resolve) => {
      release = resolve;
    });
    const stop = new AbortController();
    const held = (key: string, signal: AbortSignal) => {
      const events = executor.send(to(streaming), sendOf(`now ${key}`), { signal, after })[Symbol.asyncIterator]();
      return { events, first: events.next() };
    };
    const going = held(kept, new AbortController().signal);
    const refused = expect(held(dropped, stop.signal).first).rejects.toThrow('never stored');
    // A whole exchange overtakes them: what had left before would have arrived.
    await collect(executor.send(to(streaming), sendOf(`now ${other}`), call()));
    expect(agent.behaviour.turnsOf(kept)).toEqual([]);
    stop.abort(new Error('never stored'));
    release();
    await refused;
    expect((await going.first).done).toBe(false);
    await collect({ [Symbol.asyncIterator]: () => going.events });
    expect(agent.behaviour.turnsOf(kept)).toHaveLength(1);
    expect(agent.behaviour.turnsOf(dropped)).toEqual([]);
  });

  test('answers in one piece where it does not stream, turn by turn', async () => {
    const key = randomUUID();
    const asked = await lastTask(executor.send(to(false), sendOf(`ask ${key}`), call()));
    expect(asked?.status).toMatchObject({ state: 'input-required', message: { parts: [{ text: QUESTION }] } });
    const follows = { taskId: asked!.id, contextId: asked!.contextId };
    const task = await lastTask(executor.send(to(false), sendOf(`this ${key}`, follows), call()));
    expect(task).toMatchObject({ id: asked!.id, status: { state: 'completed', message: { parts: [{ text: DONE }] } } });
    expect(task?.artifacts?.map(({ parts }) => textOf(parts))).toEqual([`heard: this ${key}`]);
    const [one, two] = agent.behaviour.turnsOf(key);
    expect(two).toMatchObject({ continues: true, taskId: one!.taskId, contextId: one!.contextId });
  });

  test('is asked again and again where it answered before it was done', async () => {
    const key = randomUUID();
    const request = sendOf(`paced ${key}`, {}, { returnImmediately: true });
    const seen: StreamEvent[] = [];
    // The early era has no such wish: its agent answers when it is done.
    void agent.behaviour.reached(key).then(() => kind.speaks.dialect === 'early' && agent.behaviour.release(key));
    for await (const event of executor.send(to(false), request, call())) {
      seen.push(event);
      if (event.task?.artifacts?.length === 1) agent.behaviour.release(key);
    }
    expect(seen.at(-1)?.task?.status.state).toBe('completed');
    expect(seen.at(-1)?.task?.artifacts?.map(({ parts }) => textOf(parts))).toEqual([CHUNKS.join('')]);
    if (kind.speaks.dialect !== 'early') expect(seen.length).toBeGreaterThan(2);
  });

  test('goes on telling of its task after the stream was lost', async () => {
    const key = randomUUID();
    const { taskId, drain } = await begin(key);
    const again = executor.resubscribe(to(true), taskId, call())[Symbol.asyncIterator]();
    const snapshot = (await again.next()).value as StreamEvent;
    expect(snapshot.task).toMatchObject({ id: taskId, status: { state: 'working' } });
    expect(snapshot.task?.artifacts?.map(({ parts }) => textOf(parts))).toEqual([CHUNKS[0]]);
    const following = again.next();
    // Only when it listens, or there would be nothing left to tell. Later than in the early era, it says so by a task.
    if (kind.speaks.dialect === 'early') {
      await vi.waitFor(() => expect(agent.received.at(-1)?.body).toMatchObject({ method: 'tasks/resubscribe' }), SOON);
    } else expect((await following).value).toMatchObject({ task: { id: taskId, status: { state: 'working' } } });
    agent.behaviour.release(key);
    const { value: next } = await following;
    const events = [next as StreamEvent, ...(await collect({ [Symbol.asyncIterator]: () => again }))];
    const chunks = events.flatMap((event) => event.artifactUpdate?.artifact.parts ?? []);
    expect(chunks.map(({ text }) => text)).toEqual(CHUNKS.slice(1));
    expect(events.at(-1)?.statusUpdate?.status.state).toBe('completed');
    expect((await drain()).at(-1)?.statusUpdate?.status.state).toBe('completed');
  });

  test('is told to stop', async () => {
    const key = randomUUID();
    const { taskId, drain } = await begin(key);
    const { status } = await executor.cancel(to(true), taskId, call());
    expect(status.state).toBe('canceled');
    expect((await drain()).at(-1)?.statusUpdate?.status.state).toBe('canceled');
    expect(agent.behaviour.canceled).toContain(taskId);
    expect((await executor.get(to(true), taskId, call())).status.state).toBe('canceled');
  });
});

describe.skipIf(!schemasPresent())('what Rollcall asked is as the older versions were published', () => {
  const published = new Published();

  test('every request', () => {
    for (const [{ schema }, { received }] of agents) {
      if (schema === undefined) continue;
      for (const { body } of received) published.request(schema, body);
    }
    expect(published.unaskedDefinitions()).toEqual([]);
  });
});
