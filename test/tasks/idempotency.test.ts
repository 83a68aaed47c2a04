import { beforeAll, describe, expect, it } from 'vitest';
import { startSdkAgent } from '../support/sdk-agent.ts';
import { DATABASES, onCleanup, STARTING_MS, say, someone, stack } from './support.ts';

/** An engine, and an agent of another make that it calls. */
async function onAgent(open: (typeof DATABASES)[number]['open']) {
  const upstream = await startSdkAgent();
  onCleanup(() => upstream.close());
  const engine = await stack(open);
  const agentId = await engine.agent({ executionType: 'a2a', url: upstream.rpcUrl, streaming: true });
  return { ...engine, upstream, agentId };
}

describe.each(DATABASES)('repeated sends on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const setUp = () => onAgent(open);

  it('join the work of the first one while it goes on', async () => {
    const { tasks, me, agentId, upstream } = await setUp();
    const message = say('wait');
    const first = await tasks.send(me, agentId, message);
    await upstream.waiting();
    const second = await tasks.send(me, agentId, message);
    expect([second.taskId, second.joined, first.joined]).toEqual([first.taskId, true, false]);
    const answers = Promise.all([first.answer(), second.answer()]);
    upstream.release();
    const [a, b] = await answers;
    expect(b).toEqual(a);
    expect(a.task?.status.state).toBe('completed');
    expect(upstream.executions()).toBe(1);
  });

  it('join even when they arrive together', async () => {
    const { tasks, me, agentId, upstream, replica } = await setUp();
    const other = await replica();
    const message = say('wait');
    const sent = await Promise.all(
      Array.from({ length: 12 }, (_, i) => (i % 2 ? other.tasks : tasks).send(me, agentId, message)),
    );
    expect(new Set(sent.map((it) => it.taskId)).size).toBe(1);
    expect(sent.filter((it) => !it.joined)).toHaveLength(1);
    await upstream.waiting();
    upstream.release();
    await Promise.all(sent.map((it) => it.answer()));
    expect(upstream.executions()).toBe(1);
  });

  it('are new work once the first one is done, from someone else, or with other content', async () => {
    const { tasks, me, agentId, upstream } = await setUp();
    const message = say('hello');
    const first = await tasks.send(me, agentId, message);
    await first.answer();
    const ids = [first.taskId];
    for (const [who, what] of [
      [me, message],
      [someone(), message],
      [me, { message: { ...message.message, parts: [{ text: 'other' }] } }],
      [me, { message: { ...message.message, contextId: 'another conversation' } }],
    ] as const) {
      const sent = await tasks.send(who, agentId, what);
      expect((await sent.answer()).task?.status.state).toBe('completed');
      ids.push(sent.taskId);
    }
    expect(new Set(ids).size).toBe(5);
    expect(upstream.executions()).toBe(5);
  });

  it('with an Idempotency-Key get the same task in any state', async () => {
    const { tasks, me, agentId, upstream, database } = await setUp();
    const key = { idempotencyKey: 'order 17' };
    const first = await tasks.send(me, agentId, say('hello'), key);
    const answer = await first.answer();
    const second = await tasks.send(me, agentId, say('hello again'), key);
    expect([second.taskId, second.joined]).toEqual([first.taskId, true]);
    expect(await second.answer()).toEqual(answer);
    expect((await tasks.send(someone(), agentId, say('hello'), key)).taskId).not.toBe(first.taskId);
    await database.query(`update task_key set at = at - interval '25 hours' where task = $1`, [first.taskId]);
    const late = await tasks.send(me, agentId, say('a day later'), key);
    await late.answer();
    expect(late.taskId).not.toBe(first.taskId);
    expect(upstream.executions()).toBe(3);
  });

  it('with an Idempotency-Key at the same moment are one task', async () => {
    const { tasks, me, agentId, upstream } = await setUp();
    const key = { idempotencyKey: 'order 18' };
    const sent = await Promise.all(Array.from({ length: 8 }, () => tasks.send(me, agentId, say('hello'), key)));
    await Promise.all(sent.map((it) => it.answer()));
    expect(new Set(sent.map((it) => it.taskId)).size).toBe(1);
    expect(upstream.executions()).toBe(1);
  });

  it('of a follow-up do its work once', async () => {
    const { tasks, me, agentId, upstream } = await setUp();
    const asked = await tasks.send(me, agentId, say('ask: more?'));
    await asked.answer();
    const message = say('wait', { taskId: asked.taskId });
    const [a, b] = await Promise.all([tasks.send(me, agentId, message), tasks.send(me, agentId, message)]);
    expect([a.joined, b.joined].sort()).toEqual([false, true]);
    await upstream.waiting();
    upstream.release();
    expect((await b.answer()).task?.status.state).toBe('completed');
    expect(upstream.executions()).toBe(2);
    const { task } = await tasks.get(me, asked.taskId);
    expect(task.history?.filter((it) => it.messageId === message.message.messageId)).toHaveLength(1);
  });

  it('refuses a malformed Idempotency-Key', async () => {
    const { tasks, me, agentId } = await setUp();
    await expect(tasks.send(me, agentId, say('x'), { idempotencyKey: '' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      field: 'Idempotency-Key',
    });
  });
});

describe.each(DATABASES)('conversations on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  it('keep their context, at the agent too, and are nobody else’s', async () => {
    const upstream = await startSdkAgent();
    onCleanup(() => upstream.close());
    const { tasks, me, agent } = await stack(open);
    const agentId = await agent({ executionType: 'a2a', url: upstream.rpcUrl, streaming: false });
    const contextId = 'a context of the client’s own';
    const sent = await tasks.send(me, agentId, say('one', { contextId }));
    expect((await sent.answer()).task?.contextId).toBe(contextId);
    await (await tasks.send(me, agentId, say('two', { contextId }))).answer();
    await (await tasks.send(someone(), agentId, say('three', { contextId }))).answer();
    const contexts = upstream.requests.map(
      (it) => (it.body.params as { message: { contextId?: string } }).message.contextId,
    );
    expect(contexts).toEqual([undefined, expect.any(String), undefined]);
    expect(contexts[1]).not.toBe(contextId);
    expect((await tasks.list(me, { contextId })).items).toHaveLength(2);
  });

  it('refuse a task with another context, an ended task, another agent’s or owner’s task', async () => {
    const { tasks, me, echo } = await stack(open);
    const [agentId, otherAgent] = [await echo(), await echo()];
    const sent = await tasks.send(me, agentId, say('ask: well?'));
    await sent.answer();
    const { taskId } = sent;
    await expect(tasks.send(me, agentId, say('x', { taskId, contextId: 'other' }))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      field: 'message.contextId',
    });
    await expect(tasks.send(me, otherAgent, say('x', { taskId }))).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(tasks.send(someone(), agentId, say('x', { taskId }))).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
    });
    await (await tasks.send(me, agentId, say('fine', { taskId }))).answer();
    await expect(tasks.send(me, agentId, say('x', { taskId }))).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
    });
  });

  it('go on under the ids that an early client chose, and begin anew under them after the end', async () => {
    const { tasks, me, echo } = await stack(open);
    const agentId = await echo();
    const clientIds = { taskId: 'order-1', contextId: 'session-1' };
    const first = await tasks.send(me, agentId, { ...say('ask: sure?'), clientIds }, { dialect: 'early' });
    await first.answer();
    expect(first.contextId).toBe('session-1');
    expect(await tasks.idOfClientId(me, agentId, 'order-1')).toBe(first.taskId);
    expect(await tasks.idOfClientId(someone(), agentId, 'order-1')).toBeUndefined();
    const next = await tasks.send(me, agentId, { ...say('yes'), clientIds });
    expect(next.taskId).toBe(first.taskId);
    expect((await next.answer()).task?.status.state).toBe('completed');
    const again = await tasks.send(me, agentId, { ...say('once more'), clientIds });
    await again.answer();
    expect(again.taskId).not.toBe(first.taskId);
    expect(again.contextId).toBe('session-1');
    expect(await tasks.idOfClientId(me, agentId, 'order-1')).toBe(again.taskId);
  });
});

describe.each(DATABASES)('messages of the early era, which have no ids, on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const asEarly = (text: string, clientIds: { taskId: string; contextId?: string }) => ({ ...say(text), clientIds });
  const setUp = () => onAgent(open);

  it('join by the ids that the client chose and by what they say, on every replica', async () => {
    const { tasks, me, agentId, upstream, replica } = await setUp();
    const other = await replica();
    const ids = { taskId: 'order-7', contextId: 'session-7' };
    const sent = await Promise.all(
      Array.from({ length: 12 }, (_, i) => (i % 2 ? other.tasks : tasks).send(me, agentId, asEarly('wait', ids))),
    );
    expect(new Set(sent.map((it) => it.taskId)).size).toBe(1);
    expect(sent.filter((it) => !it.joined)).toHaveLength(1);
    await upstream.waiting();
    expect((await tasks.send(me, agentId, asEarly('wait', { taskId: 'order-8' }))).joined).toBe(false);
    await upstream.waiting(2);
    upstream.release();
    await Promise.all(sent.map((it) => it.answer()));
    expect(upstream.executions()).toBe(2);
    const again = await tasks.send(me, agentId, asEarly('hello', ids));
    expect(again.joined).toBe(false);
    await again.answer();
  });

  it('are never lost in a task that another message began at the same moment', async () => {
    const { tasks, me, agentId, upstream } = await setUp();
    const ids = { taskId: 'order-9' };
    const outcomes = await Promise.allSettled(
      ['ask: a', 'ask: b'].map((text) => tasks.send(me, agentId, asEarly(text, ids))),
    );
    // One begins the task; the other one goes on with it, or is told to wait for the agent's first word.
    const [begun, refused] = [
      outcomes.filter((it) => it.status === 'fulfilled'),
      outcomes.filter((it) => it.status === 'rejected'),
    ];
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'FAILED_PRECONDITION' });
    for (const { value } of begun) expect(value.joined).toBe(false);
    await begun[0]!.value.answer();
    const { task } = await tasks.get(me, begun[0]!.value.taskId);
    expect(task.history?.filter(({ role }) => role === 'user')).toHaveLength(begun.length);
    expect(upstream.executions()).toBeGreaterThanOrEqual(1);
  });

  it('with an Idempotency-Key get their task after its end, under the name that the client chose', async () => {
    const { tasks, me, agentId } = await setUp();
    const ids = { taskId: 'order-10' };
    const first = await tasks.send(me, agentId, asEarly('hello', ids), { idempotencyKey: 'k-10' });
    await first.answer();
    const again = await tasks.send(me, agentId, asEarly('hello', ids), { idempotencyKey: 'k-10' });
    expect([again.taskId, again.joined]).toEqual([first.taskId, true]);
    expect(await tasks.idOfClientId(me, agentId, 'order-10')).toBe(first.taskId);
  });
});
