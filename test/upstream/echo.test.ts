import { describe, expect, it } from 'vitest';
import { failure } from './egress-support.ts';
import { call, executors, send, target, text } from './executor-support.ts';

const echo = target({ executionType: 'echo', streaming: true });
const states = (events: Awaited<ReturnType<typeof send>>) =>
  events.flatMap((event) => event.statusUpdate?.status.state ?? event.task?.status.state ?? []);

describe('the echo agent', () => {
  it.each([
    ['hello', ['submitted', 'completed'], ['hello']],
    ['stream: a b c', ['submitted', 'working', 'completed'], ['a', 'b', 'c']],
    ['artifact: one thing', ['submitted', 'working', 'completed'], ['one thing']],
    ['slow: 0.01 patience', ['submitted', 'working', 'completed'], ['patience']],
    ['fail: no', ['submitted', 'failed'], []],
    ['ask: what?', ['submitted', 'input-required'], []],
  ])('does as "%s" says', async (said, expected, chunks) => {
    const all = executors();
    const events = await send(all, echo, text(said));
    expect(states(events)).toEqual(expected);
    const parts = events.flatMap((event) => event.artifactUpdate?.artifact.parts.map((part) => part.text) ?? []);
    expect(parts).toEqual(chunks);
    const id = events[0]!.task!.id;
    const task = await all.forAgent(echo.agent).get(echo, id, call());
    expect(task.status.state).toBe(expected.at(-1));
    expect(task.artifacts?.flatMap((it) => it.parts.map((part) => part.text)) ?? []).toEqual(chunks);
  });

  it('answers with a message when asked to', async () => {
    expect(await send(executors(), echo, text('message: just this'))).toMatchObject([
      { message: { role: 'agent', parts: [{ text: 'just this' }] } },
    ]);
  });

  it('goes on with what it asked, and with nothing that has ended', async () => {
    const all = executors();
    const [asked] = await send(all, echo, text('ask: what?'));
    const taskId = asked!.task!.id;
    const answer = { message: { ...text('this').message, taskId } };
    expect(states(await send(all, echo, answer)).at(-1)).toBe('completed');
    await failure(send(all, echo, answer), 'UNSUPPORTED_OPERATION');
    await failure(send(all, echo, { message: { ...answer.message, taskId: 'other' } }), 'TASK_NOT_FOUND');
  });

  it('stops when told to', async () => {
    const all = executors();
    const executor = all.forAgent(echo.agent);
    const events = executor.send(echo, text('slow: 60 x'), call())[Symbol.asyncIterator]();
    const first = await events.next();
    const id = first.value!.task!.id;
    await events.next();
    const last = events.next();
    expect((await executor.cancel(echo, id, call())).status.state).toBe('canceled');
    expect((await last).value).toMatchObject({ task: { status: { state: 'canceled' } } });
    await failure(executor.cancel(echo, id, call()), 'TASK_NOT_CANCELABLE');
  });
});
