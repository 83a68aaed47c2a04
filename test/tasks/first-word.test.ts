import { beforeAll, describe, expect, it } from 'vitest';
import type { StreamEvent } from '../../src/protocol/a2a/model.ts';
import { completed, scripted, working } from './scripted.ts';
import { collect, DATABASES, onCleanup, STARTING_MS, say, stack } from './support.ts';

const submitted: StreamEvent = { task: { id: 'up-1', contextId: 'up-c', status: { state: 'submitted' } } };
const answer: StreamEvent = { message: { messageId: 'm-1', role: 'agent', parts: [{ text: 'hello' }] } };

describe.each(DATABASES)('what a streaming send begins with on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const setUp = async () => {
    const agent = scripted();
    const engine = await stack(open, { more: { edge: agent.executor } });
    onCleanup(async () => agent.end());
    const agentId = await engine.agent({ executionType: 'edge', url: 'http://127.0.0.1:9/' });
    const request = say('go');
    const sent = await engine.tasks.send(engine.me, agentId, request);
    return { ...engine, agentOf: agent, agentId, request, sent };
  };

  it('is the task, as soon as the agent says that it has one, though nothing changes by that', async () => {
    const { agentOf, sent } = await setUp();
    const events = sent.events();
    const first = events.next();
    agentOf.say(submitted);
    expect((await first).value).toMatchObject({ kind: 'snapshot', sequence: 1, state: 'submitted' });
    agentOf.say(working, completed);
    expect((await collect(events)).map((it) => it.state)).toEqual(['working', 'completed']);
  });

  it('is nothing before the agent has said anything', async () => {
    const { agentOf, sent } = await setUp();
    const events = sent.events();
    let came = false;
    const first = events.next().then((item) => {
      came = true;
      return item;
    });
    // As many turns as a snapshot that waits for nobody could need, and a statement on the database.
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(came).toBe(false);
    agentOf.say(answer);
    expect((await first).value).toMatchObject({ kind: 'result', event: { message: { parts: [{ text: 'hello' }] } } });
    expect((await events.next()).done).toBe(true);
  });

  it('is the task for a repeated send too, here and on another replica', async () => {
    const { agentOf, sent, tasks, me, agentId, request, replica } = await setUp();
    const other = await replica();
    const opened = [sent, await tasks.send(me, agentId, request), await other.tasks.send(me, agentId, request)];
    expect(opened.map(({ joined }) => joined)).toEqual([false, true, true]);
    const streams = opened.map((it) => it.events());
    const firsts = Promise.all(streams.map((it) => it.next()));
    agentOf.say(submitted);
    for (const { value } of await firsts) expect(value).toMatchObject({ kind: 'snapshot', state: 'submitted' });
    agentOf.say(completed);
    for (const stream of streams) expect((await collect(stream)).map((it) => it.state)).toEqual(['completed']);
  });

  it('stays a task when the agent speaks a message after it', async () => {
    const { agentOf, sent } = await setUp();
    agentOf.say(submitted, answer);
    const items = await collect(sent.events());
    expect(items.map(({ kind, state }) => [kind, state])).toEqual([
      ['snapshot', 'submitted'],
      ['status', 'completed'],
    ]);
    expect((await sent.answer()).task?.status.message?.parts).toEqual([{ text: 'hello' }]);
  });

  it('lets a reader go that waits for it', async () => {
    const { sent } = await setUp();
    const leaving = new AbortController();
    const first = sent.events(leaving.signal).next();
    leaving.abort();
    expect((await first).done).toBe(true);
  });
});
