import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Message, StreamEvent, Task } from '../../src/protocol/a2a/model.ts';
import type { AgentExecutor } from '../../src/upstream/executor.ts';
import { collect, DATABASES, STARTING_MS, say, stack } from './support.ts';

/** An agent that asks, loses the first answer it is sent (or takes it and asks on), and completes with the next one. */
function forgetful({ takes }: { readonly takes: boolean }) {
  const id = randomUUID();
  const question: Message = { messageId: randomUUID(), role: 'agent', parts: [{ text: 'well?' }] };
  const asking: Task = { id, status: { state: 'input-required', message: question } };
  const answers: Message[] = [];
  let called: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => {
    called = resolve;
  });
  const executor: AgentExecutor = {
    async *send(_target, { message }, { signal }): AsyncGenerator<StreamEvent> {
      if (message.taskId === undefined) {
        yield { task: asking };
        return;
      }
      answers.push(message);
      if (answers.length === 1) {
        called();
        await new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
        );
      }
      yield { task: { id, status: { state: 'completed' } } };
    },
    async *resubscribe() {
      yield { task: takes ? { ...asking, history: answers } : asking };
    },
    get: () => Promise.reject(new Error('not asked in these tests')),
    cancel: () => Promise.reject(new Error('not asked in these tests')),
  };
  return { executor, lost, answers };
}

describe.each(DATABASES)('an answer to a question whose replica stopped on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const lose = async (options: { readonly takes: boolean; readonly retrySafe: boolean }) => {
    const agent = forgetful(options);
    const engine = await stack(open, { more: { edge: agent.executor } });
    const { tasks, me, replica } = engine;
    const agentId = await engine.agent({
      executionType: 'edge',
      url: 'http://127.0.0.1:9/',
      retrySafe: options.retrySafe,
    });
    const { taskId } = await tasks.send(me, agentId, say('do it'));
    await expect.poll(async () => (await tasks.get(me, taskId)).row.state).toBe('input-required');
    const answer = say('so', { taskId });
    await tasks.send(me, agentId, answer);
    await agent.lost;
    await tasks.close();
    const other = (await replica()).tasks;
    await other.recover();
    const state = async () => (await other.get(me, taskId)).row.state;
    await expect.poll(state).not.toBe('working');
    const log = [];
    for await (const item of await other.subscribe(me, taskId, { after: 0 })) {
      log.push(item);
      if (item.sequence === (await other.get(me, taskId)).row.lastSequence) break;
    }
    return { agent, tasks: other, me, agentId, taskId, answer, last: log.at(-1)! };
  };

  it('waits again, not knowing whether the agent has it, and is sent when it is said again', async () => {
    const { agent, tasks, me, agentId, taskId, answer, last } = await lose({ takes: false, retrySafe: false });
    expect(last.event.statusUpdate).toMatchObject({
      status: { state: 'input-required', message: { parts: [{ text: 'well?' }] } },
      metadata: { errorCode: 'OUTCOME_UNKNOWN' },
    });
    expect(agent.answers).toHaveLength(1);
    const again = await tasks.send(me, agentId, answer);
    expect([again.joined, again.taskId]).toEqual([false, taskId]);
    expect((await again.answer()).task?.status.state).toBe('completed');
    expect(agent.answers.map(({ messageId }) => messageId)).toEqual(Array(2).fill(answer.message.messageId));
  });

  it('is sent again by itself when that is safe', async () => {
    const { agent, tasks, me, taskId, answer, last } = await lose({ takes: false, retrySafe: true });
    expect(last.state).toBe('completed');
    expect(agent.answers.map(({ messageId }) => messageId)).toEqual(Array(2).fill(answer.message.messageId));
    expect(await collect(await tasks.subscribe(me, taskId, { after: last.sequence }))).toEqual([]);
  });

  it('counts as taken when the agent shows it, and saying it again joins', async () => {
    const { agent, tasks, me, agentId, answer, last } = await lose({ takes: true, retrySafe: false });
    expect(last.event.statusUpdate?.status.state).toBe('input-required');
    expect(last.event.statusUpdate?.metadata).toBeUndefined();
    const again = await tasks.send(me, agentId, answer);
    expect(again.joined).toBe(true);
    expect(agent.answers).toHaveLength(1);
  });
});
