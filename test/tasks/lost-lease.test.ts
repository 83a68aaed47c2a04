import { beforeAll, describe, expect, it } from 'vitest';
import type { AgentExecutor } from '../../src/upstream/executor.ts';
import { chunk, working } from './scripted.ts';
import { collect, DATABASES, STARTING_MS, say, stack } from './support.ts';

/** An agent that says one thing, and another when it is told to. */
function twoWords() {
  let goOn: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let taken: () => void = () => undefined;
  const heard = new Promise<void>((resolve) => {
    taken = resolve;
  });
  const executor: AgentExecutor = {
    async *send(_target, _request, { signal }) {
      yield working;
      yield chunk('one');
      await told;
      yield chunk('two');
      // The next event is only asked for when this one is on its way to the log.
      taken();
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      );
    },
    async *resubscribe() {
      yield* [];
    },
    get: () => Promise.reject(new Error('not asked in these tests')),
    cancel: () => Promise.reject(new Error('not asked in these tests')),
  };
  return { executor, goOn: () => goOn(), heard };
}

describe.each(DATABASES)('a driver that lost its lease on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);

  it('writes nothing more, even where its task goes on', async () => {
    const agent = twoWords();
    const engine = await stack(open, { recovery: false, more: { edge: agent.executor } });
    const { tasks, me, database } = engine;
    const agentId = await engine.agent({ executionType: 'edge', url: 'http://127.0.0.1:9/' });
    const { taskId } = await tasks.send(me, agentId, say('two words'));
    const row = async () => (await other.tasks.get(me, taskId)).row;
    const other = await engine.replica({ recovery: false });
    await expect.poll(async () => (await row()).lastSequence).toBe(3);
    await database.query(`update task set lease_until = now() - interval '1 second' where id = $1`, [taskId]);
    await other.tasks.recover();
    expect(await row()).toMatchObject({ leaseReplica: other.replicaId, leaseEpoch: 2 });
    agent.goOn();
    await agent.heard;
    await tasks.close();
    expect(await row()).toMatchObject({ state: 'working', lastSequence: 3, leaseReplica: other.replicaId });
    const cut = new AbortController();
    const log = await other.tasks.subscribe(me, taskId, { after: 0, signal: cut.signal });
    const kinds = [(await log.next()).value, (await log.next()).value, (await log.next()).value].map((it) => it?.kind);
    cut.abort();
    expect([kinds, await collect(log)]).toEqual([['created', 'status', 'artifact'], []]);
  });
});
