import { beforeAll, describe, expect, it } from 'vitest';
import { startSdkAgent } from '../support/sdk-agent.ts';
import { collect, DATABASES, onCleanup, STARTING_MS, say, someone, stack } from './support.ts';

const texts = (task: { artifacts?: readonly { parts: readonly { text?: string }[] }[] } | undefined) =>
  task?.artifacts?.flatMap((artifact) => artifact.parts.map((part) => part.text));

describe.each(DATABASES)('sending on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  describe('to the bundled echo agent', () => {
    it('answers with the completed task', async () => {
      const { tasks, me, echo } = await stack(open);
      const sent = await tasks.send(me, await echo(), say('hello'));
      const { task } = await sent.answer();
      expect(task).toMatchObject({ id: sent.taskId, contextId: sent.contextId, status: { state: 'completed' } });
      expect(texts(task)).toEqual(['hello']);
      expect(task?.history?.map((m) => [m.role, m.parts, m.taskId])).toEqual([
        ['user', [{ text: 'hello' }], sent.taskId],
      ]);
    });

    it('stores what it answered', async () => {
      const { tasks, me, echo } = await stack(open);
      const sent = await tasks.send(me, await echo(), say('hello'));
      const { task } = await sent.answer();
      const stored = await tasks.get(me, sent.taskId);
      expect(stored.task).toEqual(task);
      expect(stored).toMatchObject({ sequence: 3, row: { state: 'completed', lastSequence: 3, owner: me.subject } });
      expect(stored.row.finishedAt).toBeInstanceOf(Date);
    });
  });

  describe.each([
    { dialect: '1.0' as const, binding: 'JSONRPC', streaming: true },
    { dialect: '1.0' as const, binding: 'JSONRPC', streaming: false },
    { dialect: '0.3' as const, binding: 'JSONRPC', streaming: true },
    { dialect: '0.3' as const, binding: 'JSONRPC', streaming: false },
    { dialect: '1.0' as const, binding: 'HTTP+JSON', streaming: true },
    { dialect: '1.0' as const, binding: 'HTTP+JSON', streaming: false },
  ])('to an agent of another make over $binding $dialect, streaming $streaming', ({ dialect, binding, streaming }) => {
    const setUp = async () => {
      const upstream = await startSdkAgent();
      onCleanup(() => upstream.close());
      const engine = await stack(open);
      const agentId = await engine.agent({
        executionType: 'a2a',
        url: upstream.url,
        interfaces: [
          {
            url: binding === 'JSONRPC' ? upstream.rpcUrl : upstream.restUrl,
            binding,
            protocolVersion: dialect,
            dialect,
          },
        ],
        streaming,
      });
      return { ...engine, upstream, agentId };
    };

    it('passes the work on and answers with its outcome, under our ids', async () => {
      const { tasks, me, agentId, upstream } = await setUp();
      const sent = await tasks.send(me, agentId, say('hello'));
      const { task } = await sent.answer();
      expect(task).toMatchObject({
        id: sent.taskId,
        contextId: sent.contextId,
        status: { state: 'completed', message: { parts: [{ text: 'done' }], taskId: sent.taskId } },
      });
      expect(texts(task)).toEqual(['echo: hello']);
      expect(upstream.executions()).toBe(1);
      const { row } = await tasks.get(me, sent.taskId);
      expect(row.upstreamTaskId).toEqual(expect.any(String));
      expect(JSON.stringify(task)).not.toContain(row.upstreamTaskId);
    });

    it('streams every chunk once, in order, after a snapshot', async () => {
      const { tasks, me, agentId } = await setUp();
      const sent = await tasks.send(me, agentId, say('stream: a b c d'));
      const items = await collect(sent.events());
      expect(items[0]).toMatchObject({ kind: 'snapshot', sequence: 1, event: { task: { id: sent.taskId } } });
      expect(items.map((item) => item.sequence)).toEqual(items.map((_, i) => i + 1));
      const words = items.flatMap((item) => item.event.artifactUpdate?.artifact.parts.map((part) => part.text) ?? []);
      expect(words).toEqual(['a', 'b', 'c', 'd']);
      expect(items.at(-1)?.state).toBe('completed');
      expect(texts((await tasks.get(me, sent.taskId)).task)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('answers with the message of an agent that makes no task', async () => {
      const { tasks, me, agentId } = await setUp();
      const sent = await tasks.send(me, agentId, say('message: just so'));
      expect(await sent.answer()).toMatchObject({ message: { role: 'agent', parts: [{ text: 'just so' }] } });
      const { row, task } = await tasks.get(me, sent.taskId);
      expect(row).toMatchObject({ state: 'completed', resultKind: 'message' });
      expect(task.status.message?.parts).toEqual([{ text: 'just so' }]);
      const again = await tasks.send(me, agentId, say('message: streamed'));
      const items = await collect(again.events());
      expect(items).toMatchObject([{ kind: 'result', event: { message: { parts: [{ text: 'streamed' }] } } }]);
    });

    it('waits for input, and goes on in the same task', async () => {
      const { tasks, me, agentId } = await setUp();
      const sent = await tasks.send(me, agentId, say('ask: which colour?'));
      const { task: asked } = await sent.answer();
      expect(asked?.status).toMatchObject({ state: 'input-required', message: { parts: [{ text: 'which colour?' }] } });
      const next = await tasks.send(me, agentId, say('red', { taskId: sent.taskId }));
      expect(next.contextId).toBe(sent.contextId);
      const { task } = await next.answer();
      expect(task).toMatchObject({ id: sent.taskId, status: { state: 'completed' } });
      expect(texts(task)).toEqual(['echo: red']);
      expect(task?.history?.map((message) => message.parts[0]?.text)).toEqual([
        'ask: which colour?',
        'which colour?',
        'red',
      ]);
    });

    it('reports the failure of an agent', async () => {
      const { tasks, me, agentId } = await setUp();
      const { task } = await (await tasks.send(me, agentId, say('fail: no ink'))).answer();
      expect(task?.status).toMatchObject({ state: 'failed', message: { parts: [{ text: 'no ink' }] } });
    });

    it('answers at once when asked to, and the work goes on', async () => {
      const { tasks, me, agentId, upstream } = await setUp();
      const sent = await tasks.send(me, agentId, { ...say('wait'), configuration: { returnImmediately: true } });
      expect((await sent.answer()).task?.status.state).toBe('submitted');
      await upstream.waiting();
      upstream.release();
      const stream = await tasks.subscribe(me, sent.taskId);
      const items = await collect(stream);
      expect(items.at(-1)?.state).toBe('completed');
    });
  });

  it('hides tasks from everyone but their owner and tasks:admin', async () => {
    const { tasks, me, echo } = await stack(open);
    const sent = await tasks.send(me, await echo(), say('hello'));
    await sent.answer();
    const stranger = someone();
    await expect(tasks.get(stranger, sent.taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(tasks.cancel(stranger, sent.taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(tasks.subscribe(stranger, sent.taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(tasks.get(stranger, 'not a uuid')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    const admin = someone(['tasks:read', 'tasks:admin']);
    expect((await tasks.get(admin, sent.taskId)).task.id).toBe(sent.taskId);
  });

  it('refuses callers without the scope, agents that are inactive, hidden, or without an endpoint', async () => {
    const { tasks, me, registry, echo, agent } = await stack(open);
    const id = await echo();
    await expect(tasks.send(someone(['registry:read']), id, say('x'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const hidden = await agent({ executionType: 'echo', visibility: 'private' });
    await expect(tasks.send(someone(), hidden, say('x'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const bare = await agent({ executionType: 'docker' });
    await expect(tasks.send(me, bare, say('x'))).rejects.toMatchObject({ code: 'AGENT_NOT_REACHABLE' });
    await registry.setAgentStatus(me, id, 'inactive');
    await expect(tasks.send(me, id, say('x'))).rejects.toMatchObject({ code: 'AGENT_INACTIVE' });
  });

  it('fails the task of an agent that cannot be reached, and says why', async () => {
    const { tasks, me, agent } = await stack(open);
    const id = await agent({ executionType: 'a2a', url: 'http://127.0.0.1:9/' });
    const { task } = await (await tasks.send(me, id, say('x'))).answer();
    expect(task?.status).toMatchObject({
      state: 'failed',
      message: { parts: [{ text: expect.stringMatching(/refused the connection/) }] },
    });
  });

  it('cancels a task at its agent', async () => {
    const upstream = await startSdkAgent();
    onCleanup(() => upstream.close());
    const { tasks, me, agent } = await stack(open);
    const id = await agent({ executionType: 'a2a', url: upstream.rpcUrl, streaming: true });
    const sent = await tasks.send(me, id, say('wait'));
    const answer = sent.answer();
    await upstream.waiting();
    expect((await tasks.cancel(me, sent.taskId)).status.state).toBe('canceled');
    expect((await answer).task?.status.state).toBe('canceled');
    expect(upstream.requests.some((request) => request.body.method === 'CancelTask')).toBe(true);
    await expect(tasks.cancel(me, sent.taskId)).rejects.toMatchObject({ code: 'TASK_NOT_CANCELABLE' });
  });

  it('counts finished calls as usage', async () => {
    const { tasks, me, registry, echo } = await stack(open);
    const id = await echo();
    await (await tasks.send(me, id, say('hello'))).answer();
    await (await tasks.send(me, id, say('fail: x'))).answer();
    await expect
      .poll(async () => {
        await registry.usage.flush();
        return (await registry.usageOfAgents([id]))[0];
      })
      .toMatchObject({ calls: 2, failures: 1 });
  });
});
