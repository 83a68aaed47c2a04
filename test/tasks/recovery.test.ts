import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StreamEvent } from '../../src/protocol/a2a/model.ts';
import type { AgentExecutor } from '../../src/upstream/executor.ts';
import { startSdkAgent } from '../support/sdk-agent.ts';
import { collect, DATABASES, onCleanup, STARTING_MS, type StackOptions, say, stack } from './support.ts';

/** An agent that takes the first message and never answers it, and answers every later one. */
function silentAtFirst() {
  let calls = 0;
  let called: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    called = resolve;
  });
  const completed = (id: string): StreamEvent => ({ task: { id, status: { state: 'completed' } } });
  const executor: AgentExecutor = {
    async *send(_target, _request, { signal }) {
      calls++;
      called();
      if (calls === 1) {
        await new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
        );
      }
      yield completed(randomUUID());
    },
    async *resubscribe(_target, id) {
      yield completed(id);
    },
    get: (_target, id) => Promise.resolve({ id, status: { state: 'completed' } }),
    cancel: (_target, id) => Promise.resolve({ id, status: { state: 'canceled' } }),
  };
  return { executor, reached, calls: () => calls };
}

describe.each(DATABASES)('recovery on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const setUp = async (streaming = true, options: StackOptions = {}) => {
    const upstream = await startSdkAgent();
    onCleanup(() => upstream.close());
    const engine = await stack(open, options);
    const agentId = await engine.agent({ executionType: 'a2a', url: upstream.rpcUrl, streaming });
    return { ...engine, upstream, agentId };
  };
  const expire = (engine: Awaited<ReturnType<typeof setUp>>, id: string) =>
    engine.database.query(`update task set lease_until = now() - interval '1 second' where id = $1`, [id]);
  const named = async (engine: Awaited<ReturnType<typeof setUp>>, id: string) =>
    expect.poll(async () => (await engine.tasks.get(engine.me, id)).row.upstreamTaskId).not.toBeNull();

  it.each([{ streaming: true }, { streaming: false }])(
    'takes over the work of a replica that stopped, and finishes it once (streaming $streaming)',
    async ({ streaming }) => {
      const engine = await setUp(streaming);
      const { tasks, me, agentId, upstream, replica } = engine;
      const request = { ...say('wait'), configuration: { returnImmediately: true } };
      const { taskId } = await tasks.send(me, agentId, request);
      await upstream.waiting();
      await named(engine, taskId);
      await tasks.close();
      const other = await replica();
      await other.tasks.recover();
      const stream = await other.tasks.subscribe(me, taskId);
      await stream.next();
      upstream.release();
      expect((await collect(stream)).at(-1)?.state).toBe('completed');
      const { task } = await other.tasks.get(me, taskId);
      expect(task.artifacts?.map((it) => it.parts)).toEqual([[{ text: 'waited' }]]);
      expect(upstream.executions()).toBe(1);
    },
  );

  it('refuses the writes of a driver that lost its lease without knowing', async () => {
    // It must not renew the lease between its end and the look of the other one.
    const engine = await setUp(true, { recovery: false });
    const { tasks, me, agentId, upstream, replica } = engine;
    const sent = await tasks.send(me, agentId, say('wait'));
    const answer = sent.answer();
    await upstream.waiting();
    await named(engine, sent.taskId);
    const other = await replica();
    await expire(engine, sent.taskId);
    await other.tasks.recover();
    const { row } = await tasks.get(me, sent.taskId);
    expect(row).toMatchObject({ leaseReplica: other.replicaId, leaseEpoch: 2 });
    upstream.release();
    expect((await answer).task?.status.state).toBe('completed');
    const log = await collect(await tasks.subscribe(me, sent.taskId, { after: 0 }));
    expect(log.filter((item) => item.state === 'completed')).toHaveLength(1);
    expect(log.filter((item) => item.kind === 'artifact')).toHaveLength(1);
  });

  it('leaves tasks alone whose lease is renewed', async () => {
    const engine = await setUp();
    const { tasks, me, agentId, upstream, replica } = engine;
    const sent = await tasks.send(me, agentId, say('wait'));
    await upstream.waiting();
    const other = await replica();
    await tasks.recover();
    await other.tasks.recover();
    expect((await tasks.get(me, sent.taskId)).row).toMatchObject({ leaseReplica: engine.replicaId, leaseEpoch: 1 });
    upstream.release();
    await sent.answer();
  });

  it('leaves a task that waits for input to its client', async () => {
    const engine = await setUp();
    const { tasks, me, agentId, replica } = engine;
    const sent = await tasks.send(me, agentId, say('ask: well?'));
    await sent.answer();
    await tasks.close();
    const other = await replica();
    await other.tasks.recover();
    expect((await other.tasks.get(me, sent.taskId)).row).toMatchObject({ state: 'input-required', leaseEpoch: 1 });
    const next = await other.tasks.send(me, agentId, say('fine', { taskId: sent.taskId }));
    expect((await next.answer()).task?.status.state).toBe('completed');
  });

  it.each([
    { retrySafe: false, calls: 1, state: 'failed' },
    { retrySafe: true, calls: 2, state: 'completed' },
  ])(
    'ends as $state when the connection was lost before the first answer and retrySafe is $retrySafe',
    async ({ retrySafe, calls, state }) => {
      const agent = silentAtFirst();
      const engine = await stack(open, { more: { edge: agent.executor } });
      const { tasks, me, replica } = engine;
      const agentId = await engine.agent({ executionType: 'edge', url: 'http://127.0.0.1:9/', retrySafe });
      const request = say('do it');
      const { taskId } = await tasks.send(me, agentId, request);
      await agent.reached;
      await tasks.close();
      const other = await replica();
      await other.tasks.recover();
      const log = await collect(await other.tasks.subscribe(me, taskId, { after: 0 }));
      expect(log.at(-1)?.state).toBe(state);
      if (!retrySafe) {
        expect(log.at(-1)?.event.statusUpdate?.metadata).toEqual({ errorCode: 'OUTCOME_UNKNOWN' });
      }
      expect(agent.calls()).toBe(calls);
      // Whoever sends again because the answer never came gets this outcome, and no second execution.
      const again = await other.tasks.send(me, agentId, request);
      expect([again.joined, again.taskId]).toEqual([true, taskId]);
      expect((await again.answer()).task?.status.state).toBe(state);
      expect(agent.calls()).toBe(calls);
    },
  );

  it('cancels the running tasks of an agent that is deleted, at the agent too', async () => {
    const engine = await setUp();
    const { tasks, me, agentId, upstream, registry } = engine;
    const running = await tasks.send(me, agentId, say('wait'));
    const waiting = await tasks.send(me, agentId, say('ask: well?'));
    await waiting.answer();
    await upstream.waiting();
    await named(engine, running.taskId);
    await registry.deleteAgent(me, agentId);
    expect((await running.answer()).task?.status.state).toBe('canceled');
    await expect.poll(async () => (await tasks.get(me, waiting.taskId)).row.state).toBe('canceled');
    expect(upstream.requests.some((request) => request.body.method === 'CancelTask')).toBe(true);
    await expect(tasks.send(me, agentId, say('x'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('takes no work while it closes, and lets go of what waits', async () => {
    const { tasks, me, agentId, upstream } = await setUp();
    const sent = await tasks.send(me, agentId, say('wait'));
    const answer = sent.answer().catch((error: unknown) => error);
    await upstream.waiting();
    const closed = tasks.close();
    await expect(tasks.send(me, agentId, say('x'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(await answer).toMatchObject({ code: 'SHUTTING_DOWN' });
    await closed;
  });
});
