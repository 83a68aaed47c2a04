import { beforeAll, describe, expect, it } from 'vitest';
import { startSdkAgent } from '../support/sdk-agent.ts';
import { DATABASES, onCleanup, STARTING_MS, say, stack } from './support.ts';

describe.each(DATABASES)('the tasks of a server that died on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);

  it.each([
    { alone: true, what: 'are taken over at once where no other can be at work' },
    { alone: false, what: 'are left alone until their leases end where another may be at work' },
  ])('$what', async ({ alone }) => {
    const upstream = await startSdkAgent();
    onCleanup(() => upstream.close());
    // What this one drives keeps its lease: it neither closes nor renews before the other one looks.
    const dead = await stack(open, { recovery: false });
    const agentId = await dead.agent({ executionType: 'a2a', url: upstream.rpcUrl, streaming: true });
    const sent = await dead.tasks.send(dead.me, agentId, say('wait'));
    await upstream.waiting();
    await expect.poll(async () => (await dead.tasks.get(dead.me, sent.taskId)).row.upstreamTaskId).not.toBeNull();
    const next = await dead.replica({ recovery: false, alone });
    await next.tasks.recover();
    const { row } = await next.tasks.get(dead.me, sent.taskId);
    expect(row.leaseReplica === next.replicaId).toBe(alone);
    upstream.release();
    await expect.poll(async () => (await next.tasks.get(dead.me, sent.taskId)).row.state).toBe('completed');
  });
});
