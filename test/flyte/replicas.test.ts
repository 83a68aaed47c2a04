import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TaskExecution_Phase as Phase } from '../../src/protocol/flyte/generated/flyteidl/core/execution.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { createTestDatabase, DRIVERS } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { answers, SECRET_KEY, spark } from './support/recorded.ts';
import { type Registered, servingDeployment, startRegistered } from './support/registered.ts';

const cleanup = afterTheTest();

// The embedded database belongs to one process.
describe.skipIf(!DRIVERS.includes('postgres'))('two servers on one database', () => {
  let one: Registered;
  let two: Registered;
  const stops: (() => unknown)[] = [];
  beforeAll(async () => {
    const { url, drop } = await createTestDatabase('postgres');
    stops.push(drop);
    const start = () => startRegistered((each) => stops.push(each), { DATABASE_URL: url, SECRET_KEY });
    [one, two] = [await start(), await start()];
  });
  afterAll(async () => {
    for (const each of stops.reverse()) await each();
  });

  it('list within a second what was registered, changed or deleted at the other', async () => {
    const name = `Agent ${randomUUID()}`;
    const within = async (server: Registered, isListed: boolean): Promise<number> => {
      const from = performance.now();
      await vi.waitFor(async () => expect((await server.listed()).includes(name)).toBe(isListed), SOON);
      return performance.now() - from;
    };
    const id = await one.register(name, { taskCategories: [{ name: `c-${randomUUID()}`, version: 0 }] });
    expect(await within(two, true)).toBeLessThan(1_000);
    await two.mutate('setAgentStatus', 'SetAgentStatusInput', { id, status: 'INACTIVE' });
    expect(await within(one, false)).toBeLessThan(1_000);
    await one.mutate('setAgentStatus', 'SetAgentStatusInput', { id, status: 'ACTIVE' });
    expect(await within(two, true)).toBeLessThan(1_000);
  });

  it('find a job of the other one where it was created, whatever the weights say now', async () => {
    const job = await spark(one, cleanup);
    const made = await job.create();
    const b = await servingDeployment('b', cleanup);
    await one.deploy(job.agentId, b, { weight: 1_000 });
    // New tasks go to both, so the other server has heard of it.
    await vi.waitFor(async () => {
      await two.asyncService.createTask(job.given(0, randomUUID()));
      expect(b.count('createTask')).toBeGreaterThan(0);
    }, SOON);
    for (let i = 0; i < 10; i++) {
      expect((await two.asyncService.getTask(made)).resource?.message).toBe('from a');
    }
    expect(b.count('getTask')).toBe(0);
    await two.asyncService.deleteTask(made);
    expect([job.a.count('deleteTask'), b.count('deleteTask')]).toEqual([1, 0]);
  });

  it('create one job for an attempt that comes to both', async () => {
    const job = await spark(one, cleanup);
    const { resourceMeta } = await job.create();
    await vi.waitFor(async () => expect(await two.listed()).toContain(`Agent of ${job.type}`), SOON);
    const again = await vi.waitFor(() => two.asyncService.createTask(job.given()), SOON);
    expect(Buffer.from(again.resourceMeta ?? [])).toEqual(Buffer.from(resourceMeta ?? []));
    expect(job.a.count('createTask')).toBe(1);
    expect(await job.tasks(two)).toHaveLength(1);
  });

  it('each know the last phase that they were told, and show one task', async () => {
    const job = await spark(one, cleanup);
    const made = await job.create();
    answers(job.a, { phase: Phase.RUNNING, message: 'half way' });
    // The table of the other one follows within a second; its first answer is then the deployment's own.
    await vi.waitFor(
      async () => expect((await two.asyncService.getTask(made)).resource?.message).toBe('half way'),
      SOON,
    );
    await job.inState('WORKING', one);
    job.a.stop();
    const last = (await two.asyncService.getTask(made)).resource;
    expect(last).toMatchObject({ phase: Phase.RUNNING, message: expect.stringContaining('last known phase') });
    // The one that created it has not asked since: to it the job is as it was then.
    expect((await one.asyncService.getTask(made)).resource).toMatchObject({ phase: Phase.QUEUED });
    await job.a.start();
    answers(job.a, { phase: Phase.SUCCEEDED, message: 'done' });
    await vi.waitFor(async () => {
      expect((await one.asyncService.getTask(made)).resource?.message).toBe('done');
    }, SOON);
    await job.inState('COMPLETED', two);
  });
});
